"""`command/<name>`: what the hospital asks of a box, each at most once and in time; answered, see `answer`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from appliance.errors import RefusedError
from appliance.messages.inbound import Inbound, read_inbound
from appliance.messages.model import Name, Subject, Utc
from appliance.messages.prescription import Side

MAX_BYTES = 16 * 1024
LONGEST_LIFE = timedelta(days=7)
"""Ids are remembered for so long, so that none is carried out twice."""


class Command(Inbound):
    """What every command holds. MQTT's own expiry should be set to the same time, so that the broker drops it too."""

    id: UUID
    """Names this command; the box carries out no id twice."""
    box: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """The box it is for: a copy of it on another box's topic is refused."""
    issued: Utc
    """When it was given."""
    expires: Utc
    """Not to be begun after this; at most seven days after `issued`."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not self.issued < self.expires:
            raise ValueError("expires must be later than issued")
        if self.expires - self.issued > LONGEST_LIFE:
            raise ValueError("expires must be at most seven days after issued")
        return self


class SelfTest(Command):
    """Try devices, model, clock, disk, certificate and broker, as `rehabbox doctor` does."""


class RecordReference(Command):
    """Let a therapist record an exercise in front of this box, guided by its light and loudspeaker."""

    exercise: Name
    """The exercise to record."""
    side: Side = "both"
    """The side that moves."""
    repetitions: Annotated[int, Field(ge=1, le=20)]
    """How many make a take."""
    takes: Annotated[int, Field(ge=1, le=2)] = 1
    """A second one tells how much the instructor differs from themself."""


class SetLogLevel(Command):
    """Change how much the box logs, until it starts again."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    """The least that is logged."""


class RotateCertificate(Command):
    """Renew the box's certificate now, with a new key: at the hospital's EST server where it has one.

    Else in two steps: a command without `certificate` is answered with a request, one with it puts that in force.
    """

    certificate: Annotated[str, Field(max_length=12_000)] | None = None
    """The box's new certificate and those between it and the authority (PEM), made for the request it answered with."""


class Update(Command):
    """Install a version of the box's software."""

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]{1,64}$")]
    """The version to install."""


class ForgetPatient(Command):
    """Erase everything the box holds of one subject, and prove it."""

    subject: Subject
    """The hospital's own identifier of the patient."""
    unsent: Literal["deliver", "erase"] = "deliver"
    """Messages that the broker does not have yet: `deliver` them first, until the command expires, or `erase` them."""


class CorrectResult(Command):
    """Withdraw a result, or set it right, as a therapist decided; a corrected result then takes its place."""

    result: UUID
    """Id of the result, or of one that took its place."""
    action: Literal["withdraw", "amend"]
    """`withdraw`: it was an error and counts no more. `amend`: it counts, with what is said here."""
    by: Subject
    """Who decided that, by the hospital's own identifier."""
    reason: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,1000}$")]
    """Why."""
    repetitions: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Complete repetitions by the therapist's count."""
    score: Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)] | None = None
    """FineRehab's score by the therapist, 0 worst to 4 best."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        said = self.repetitions is not None or self.score is not None
        if said != (self.action == "amend"):
            raise ValueError("amend says repetitions, score or both; withdraw says neither")
        return self


COMMANDS: dict[str, type[Command]] = {
    "self-test": SelfTest,
    "record-reference": RecordReference,
    "set-log-level": SetLogLevel,
    "rotate-certificate": RotateCertificate,
    "update": Update,
    "forget-patient": ForgetPatient,
    "correct-result": CorrectResult,
}
"""Payload by name, the last level of the topic."""


def parse_command(name: str, payload: bytes) -> Command:
    """Raises `RefusedError` as `read_inbound` does, and for a name that is no command."""
    if name not in COMMANDS:
        raise RefusedError(f"command: the box knows no such command; it knows {', '.join(COMMANDS)}", "unknown_command")
    return read_inbound(COMMANDS[name], f"command.{name}", payload, MAX_BYTES)
