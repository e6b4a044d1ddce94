"""`prescription`: today's exercises for one subject, sent by the hospital and retained. Checked strictly."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from appliance.messages.inbound import Inbound, read_inbound
from appliance.messages.model import Finite, Name, Subject, Utc
from appliance.messages.motion_limits import checked_limits

Side = Literal["left", "right", "both"]

MAX_BYTES = 64 * 1024
"""A prescription of 50 exercises has about 15 kB."""


def _with_prefix(digest: str) -> str:
    return f"sha256:{digest.removeprefix('sha256:')}"


def _given_or_both(side: object) -> object:
    return "both" if side is None else side


class PrescribedExercise(Inbound):
    """One exercise of a prescription."""

    id: Name
    """The exercise's id: the name of its file in `config/exercises`."""
    side: Annotated[Side, BeforeValidator(_given_or_both)] = "both"
    """The side that moves."""
    repetitions: Annotated[int, Field(ge=1, le=100)]
    """How many to do."""
    reference: Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-f]{64}$"), AfterValidator(_with_prefix)]
    """SHA-256 of the reference recording: `sha256:` and 64 lower-case hexadecimal digits, or the digits alone."""
    paced: bool = False
    """Whether the patient follows the reference's tempo; otherwise the tempo is free."""
    limits: Annotated[dict[str, Finite], AfterValidator(checked_limits)] | None = None
    """How far this patient may move, degrees by name, e.g. `left_knee_max_deg`; beyond it the set is ended. Scores do
    not depend on them."""


class Prescription(Inbound):
    """What one subject is to do, from when until when."""

    id: UUID
    """Names this prescription; the same id again is the same prescription."""
    issued: Utc
    """When it was written."""
    expires: Utc
    """Not to be started after this."""
    subject: Subject
    """The hospital's own identifier of the patient. Another subject than before means hand-over."""
    affected_side: Literal["left", "right", "both", "none"] | None = None
    """The side that the impairment is on; null where not stated."""
    exercises: Annotated[tuple[PrescribedExercise, ...], Field(min_length=1, max_length=50)]
    """In the order to be done."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.expires <= self.issued:
            raise ValueError("expires must be later than issued")
        return self


def parse_prescription(payload: bytes) -> Prescription:
    """Raises `RefusedError` as `read_inbound` does. An empty payload withdraws: tell it apart before calling."""
    return read_inbound(Prescription, "prescription", payload, MAX_BYTES)
