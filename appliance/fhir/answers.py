"""What the patient answered after a session, as a FHIR R4 Observation of its own."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid5

from appliance.fhir import codes
from appliance.fhir.elements import CodeableConcept, Component, Identifier, Observation, Period
from appliance.fhir.observation import CONDITIONAL, context_of, patient_of, urn_of
from appliance.messages.session import Feedback, Session


def answers_of(session: Session, patient_system: str | None = None) -> Observation | None:
    """None for a session after which nobody was asked. patient_system: see `appliance.fhir.observation`.

    A session that is told again gives the same identifiers.
    """
    if session.feedback is None or session.started is None:
        return None
    patient = patient_of(session.subject, patient_system)
    name = f"{session.box}-{session.subject}-answers-{session.started:%Y%m%dT%H%M%S.%fZ}"
    return Observation(
        **context_of(session.box, session.prescription, session.id, session.synthetic),
        identifier=(urn_of(uuid5(session.id, "answers")), Identifier(system=CONDITIONAL, value=name)),
        status="final",
        category=(CodeableConcept(coding=(codes.SURVEY,)),),
        code=codes.measure("answers"),
        subject=patient,
        effective_period=Period(start=session.started, end=session.at),
        issued=session.at,
        performer=(patient,),
        component=tuple(_components(session.feedback)),
    )


def _components(feedback: Feedback) -> Iterator[Component]:
    silent = codes.absent("unknown", "The patient was asked and did not answer.")
    pain = codes.measure("pain")
    code = CodeableConcept(coding=(*pain.coding, codes.PAIN))
    if feedback.pain == "not_answered":
        yield Component(code=code, data_absent_reason=silent)
    else:
        yield Component(code=code, value_boolean=feedback.pain == "yes")
    if feedback.effort == "not_answered":
        yield Component(code=codes.measure("effort"), data_absent_reason=silent)
    else:
        answer = codes.EFFORTS[feedback.effort]
        yield Component(code=codes.measure("effort"), value_codeable_concept=CodeableConcept(coding=(answer,)))
