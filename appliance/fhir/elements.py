"""The parts of FHIR R4 (4.0.1) that the box writes, as models: hl7.org/fhir/R4, section by name of the class."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from appliance.messages.model import Message, Utc


def _four_digits(value: float) -> float:
    return float(f"{value:.4g}")


Decimal = Annotated[float, Field(allow_inf_nan=False), AfterValidator(_four_digits)]
"""Rounded to four significant digits, more than any measure here has."""


def _without_null(schema: dict[str, Any]) -> None:
    """In a schema as in the JSON: a key is left out or has a value."""
    for field in schema.get("properties", {}).values():
        if {"type": "null"} in field.get("anyOf", ()):
            (there,) = (option for option in field.pop("anyOf") if option != {"type": "null"})
            field.pop("default")
            field.update(there)


class Element(Message):
    """Keys are FHIR's, in camel case; what has no value is left out, since FHIR knows no null."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, json_schema_extra=_without_null
    )
    leaves_out_null: ClassVar[bool] = True


class Coding(Element):
    """A code of a code system."""

    system: str | None = None
    """The code system's canonical address."""
    code: str
    """The code."""
    display: str | None = None
    """The code's meaning, as its system words it."""


class CodeableConcept(Element):
    """A concept, by codes or in words."""

    coding: tuple[Coding, ...]
    """Codes for it, the most exact first."""
    text: str | None = None
    """The same for people."""


class Identifier(Element):
    """A name of something, unique within a system."""

    system: str | None = None
    """Within what it is unique."""
    value: str
    """The name."""


class Reference(Element):
    """Something else, by its business identifier: the box knows no addresses of the hospital's FHIR server."""

    type: str
    """Kind of resource."""
    identifier: Identifier
    """Which one."""
    display: str | None = None
    """The same for people."""


class Period(Element):
    """A span of time."""

    start: Utc
    """When it began."""
    end: Utc
    """When it ended."""


class Quantity(Element):
    """A number with a unit of UCUM."""

    value: Decimal
    """The number."""
    unit: str
    """The unit for people."""
    system: Literal["http://unitsofmeasure.org"] = "http://unitsofmeasure.org"
    """UCUM."""
    code: str
    """The unit in UCUM."""


class Annotation(Element):
    """A remark."""

    author_string: str | None = None
    """Who made it; left out where it was the box."""
    time: Utc | None = None
    """When it was made."""
    text: str
    """The remark."""


class Meta(Element):
    """About the resource itself."""

    security: tuple[Coding, ...]
    """`HTEST` marks what is no patient's: made up or replayed input."""


class Component(Element):
    """One measure of an exercise; it has exactly one value, or a reason why there is none."""

    code: CodeableConcept
    """What was measured."""
    value_quantity: Quantity | None = None
    """The measure, with its unit."""
    value_codeable_concept: CodeableConcept | None = None
    """The measure where it is a concept."""
    value_integer: int | None = None
    """The measure where it is a count."""
    value_boolean: bool | None = None
    """The measure where it is yes or no."""
    data_absent_reason: CodeableConcept | None = None
    """Why there is no value."""


class Observation(Element):
    """One exercise of one session: `fhir/<exercise>`, made of the same result as `result/<exercise>`.

    Or what the patient answered after the session: `fhir/session`.
    """

    resource_type: Literal["Observation"] = "Observation"
    """As in every FHIR resource."""
    meta: Meta | None = None
    """Left out for a patient's own exercise."""
    identifier: tuple[Identifier, ...]
    """Its id as a URN (of a result: that one's), then what it is created by conditionally: box, patient, kind, time."""
    based_on: tuple[Reference, ...]
    """The prescription that was followed, by its id."""
    part_of: tuple[Reference, ...]
    """The session it belongs to, by its id: what a session's Observations have in common."""
    status: Literal["final", "amended", "cancelled", "entered-in-error"]
    """`cancelled`: broken off. `amended`, `entered-in-error`: a therapist corrected or withdrew it."""
    category: tuple[CodeableConcept, ...]
    """Therapy; a survey where the patient answered."""
    code: CodeableConcept
    """Which exercise; or that the patient answered."""
    subject: Reference
    """The patient, by the hospital's own identifier."""
    effective_period: Period
    """From the start to the end of the recording, or of the session."""
    issued: Utc
    """When this version was made."""
    performer: tuple[Reference, ...] | None = None
    """The patient, where they answered; left out for what the box measured."""
    data_absent_reason: CodeableConcept | None = None
    """Why there is no score; left out where there is one."""
    note: tuple[Annotation, ...] | None = None
    """What a reader must know."""
    method: CodeableConcept | None = None
    """How it was scored, and by which software, reference and model; left out for answers."""
    device: Reference
    """The box."""
    component: tuple[Component, ...]
    """The measures, or the answers."""


class Concept(Element):
    """A code of a code system and what it means."""

    code: str
    """The code."""
    display: str
    """Its name."""
    definition: str
    """What it means."""


class CodeSystem(Element):
    """A code system of the box's own, for what no public one has a code for."""

    resource_type: Literal["CodeSystem"] = "CodeSystem"
    """As in every FHIR resource."""
    id: str
    """Its file's name."""
    url: str
    """Its canonical address."""
    version: str
    """Its version."""
    name: str
    """Its name for programmes."""
    title: str
    """Its name for people."""
    status: Literal["active"] = "active"
    """In use."""
    description: str
    """What it is for."""
    case_sensitive: bool = True
    """Codes in capitals are others."""
    content: Literal["complete", "fragment"]
    """`fragment`: a hospital's own exercises have codes as well."""
    count: int
    """How many codes there are here."""
    concept: tuple[Concept, ...]
    """The codes."""
