"""A result as a FHIR R4 Observation: everything in it is taken from the result, so the two never disagree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypedDict
from uuid import UUID

from appliance.correction import original_of
from appliance.exercises import Exercise, load_exercises
from appliance.fhir import codes
from appliance.fhir.elements import (
    Annotation,
    CodeableConcept,
    Component,
    Identifier,
    Meta,
    Observation,
    Period,
    Quantity,
    Reference,
)
from appliance.messages.result import Result

URN = "urn:ietf:rfc:3986"
CONDITIONAL = "urn:rehabbox:fhir:observation"

Status = Literal["final", "amended", "cancelled", "entered-in-error"]


def observation_of(result: Result, patient_system: str | None = None) -> Observation:
    """patient_system: within what the hospital's identifiers of patients are unique."""
    exercise, correction = load_exercises().get(result.exercise), result.correction
    return Observation(
        **context_of(result.box, result.prescription, result.session, result.synthetic, result.versions.software),
        identifier=(
            urn_of(original_of(result)),
            Identifier(system=CONDITIONAL, value=conditional_identifier(result)),
        ),
        status=_status(result),
        category=(CodeableConcept(coding=(codes.THERAPY,)),),
        code=codes.exercise_code(result.exercise, exercise),
        subject=patient_of(result.subject, patient_system),
        effective_period=Period(start=result.started, end=result.ended),
        issued=correction.at if correction else result.ended,
        data_absent_reason=_absence(result),
        note=tuple(_notes(result)) or None,
        method=_method(result),
        component=tuple(_components(result, exercise)),
    )


def conditional_identifier(result: Result) -> str:
    """The same for the same exercise however often it is sent: a server creates it once, by `If-None-Exist`.

    As the Personal Health Device guide makes it: device, patient, type, time and duration.
    """
    duration_s = (result.ended - result.started).total_seconds()
    kind = f"{result.exercise}.{result.side}"
    return f"{result.box}-{result.subject}-{kind}-{result.started:%Y%m%dT%H%M%S.%fZ}-{duration_s:.3f}"


class Context(TypedDict):
    """What every Observation of a box says of where it comes from."""

    meta: Meta | None
    based_on: tuple[Reference, ...]
    part_of: tuple[Reference, ...]
    device: Reference


def context_of(box: str, prescription: UUID, session: UUID, synthetic: bool, software: str | None = None) -> Context:
    return {
        "meta": Meta(security=(codes.TEST_DATA,)) if synthetic else None,
        "based_on": (Reference(type="ServiceRequest", identifier=urn_of(prescription)),),
        "part_of": (Reference(type="Procedure", identifier=urn_of(session)),),
        "device": Reference(
            type="Device", identifier=Identifier(value=box), display=f"{box} ({software})" if software else box
        ),
    }


def patient_of(subject: str, patient_system: str | None) -> Reference:
    return Reference(type="Patient", identifier=Identifier(system=patient_system, value=subject))


def urn_of(name: UUID) -> Identifier:
    return Identifier(system=URN, value=f"urn:uuid:{name}")


def _status(result: Result) -> Status:
    if result.correction is not None:
        return "entered-in-error" if result.correction.action == "withdrawn" else "amended"
    return "cancelled" if result.status == "abandoned" else "final"


def _notes(result: Result) -> Iterator[Annotation]:
    if result.correction is not None:
        yield Annotation(author_string=result.correction.by, time=result.correction.at, text=result.correction.reason)
    for text in result.score.notes:
        yield Annotation(text=text)


def _absence(result: Result) -> CodeableConcept | None:
    if result.reason is None or result.status == "withdrawn":
        return None
    return codes.absent("not-performed" if result.status == "abandoned" else "unknown", result.reason)


def _method(result: Result) -> CodeableConcept:
    versions = result.versions
    parts = [f"HS-BTW by {versions.software}, against reference {versions.reference}"]
    parts += [f"quality by {versions.model}"] if versions.model else []
    return CodeableConcept(coding=(codes.HS_BTW,), text="; ".join(parts))


def _components(result: Result, exercise: Exercise | None) -> Iterator[Component]:
    """What was measured, or what a therapist put in its place; what was not has no component."""
    score, quality, fine_rehab = result.score, result.quality, result.fine_rehab
    counted, graded = (result.correction.repetitions, result.correction.score) if result.correction else (None, None)
    side = codes.SIDES[result.side]
    yield Component(code=codes.measure("side"), value_codeable_concept=CodeableConcept(coding=(side,)))
    complete = sum(repetition.complete for repetition in result.repetitions)
    complete = complete if counted is None else counted
    yield Component(code=codes.measure("repetitions-complete"), value_integer=complete)
    yield Component(code=codes.measure("repetitions-seen"), value_integer=len(result.repetitions))
    minutes = (result.ended - result.started).total_seconds() / 60
    yield Component(
        code=CodeableConcept(coding=(codes.DURATION,)), value_quantity=Quantity(value=minutes, unit="min", code="min")
    )
    ratios = {
        "pose-dissimilarity": score.pose_dissimilarity,
        "dynamics-dissimilarity": score.dynamics_dissimilarity,
        "dissimilarity": score.dissimilarity,
        "tempo-ratio": score.tempo_ratio,
        "movement-quality": quality.quality if quality else None,
        "fine-rehab-score": graded if graded is not None else fine_rehab.score if fine_rehab else None,
        **{f"fine-rehab-{name}": value for name, value in (fine_rehab.dimensions if fine_rehab else {}).items()},
        "joints-seen": result.data_quality.joints_seen,
    }
    for code, value in ratios.items():
        if value is not None:
            yield Component(code=codes.measure(code), value_quantity=Quantity(value=value, unit="1", code="1"))
    for angle, degrees in score.angle_ranges.items():
        named = codes.joint_range(angle, result.side, exercise)
        if named is not None and degrees is not None:
            yield Component(code=named, value_quantity=Quantity(value=degrees, unit="degree", code="deg"))
