"""What was accepted from the hospital and whose data lies here, on disk: nothing is obeyed twice after a restart."""

from __future__ import annotations

import hashlib
import logging
import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from appliance.errors import RecordingError
from appliance.messages.answer import ErasedFile
from appliance.messages.model import encode, fault_of
from appliance.messages.prescription import Prescription
from appliance.recording.disk import write_whole

KEPT_OVER = 256
"""Of the last commands that have expired by the box's clock: it may have been wrong, and be set back."""

_log = logging.getLogger(__name__)


class _Part(BaseModel):
    # A newer version that was taken back may have kept more.
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64", val_json_bytes="base64")


class Accepted(_Part):
    """The last prescription that was accepted. sha256: of its content, in our own writing of it."""

    id: UUID
    subject: str
    sha256: str
    withdrawn: bool = False


class Departure(_Part):
    """A subject who has left this box, of whom messages still wait. until: they are erased then, sent or not.

    The rest is of the `forget-patient` that asked for it, if one did: to be answered at the end.
    """

    subject: str
    until: AwareDatetime | None = None
    command: UUID | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    sessions: tuple[str, ...] = ()
    erased: tuple[ErasedFile, ...] = ()
    files: int = 0
    size: int = 0


class AskedUpdate(_Part):
    """An update that was handed on to the updater, to be answered when that is done with it."""

    command: UUID
    response_topic: str | None = None
    correlation: bytes | None = None


class _Stored(_Part):
    accepted: Accepted | None = None
    not_after: AwareDatetime | None = None
    holder: str | None = None
    commands: dict[UUID, AwareDatetime] = {}
    departures: tuple[Departure, ...] = ()
    update: AskedUpdate | None = None


class Ledger:
    """One small file, replaced whole; any thread may use it. A damaged one counts as none, and is logged.

    A disk that refuses is logged, not raised: what was accepted is then remembered until the box restarts.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._stored = _Stored()
        try:
            self._stored = _Stored.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            why = fault_of(error) if isinstance(error, ValidationError) else error
            _log.error("%s is not readable (%s); what was accepted before is not known any more", file, why)

    @property
    def accepted(self) -> Accepted | None:
        """The last prescription."""
        return self._stored.accepted

    @property
    def issued(self) -> datetime | None:
        """Nothing issued at or before this is followed any more."""
        return self._stored.not_after

    @property
    def holder(self) -> str | None:
        """The subject whose data lies on this box; None: nobody's does."""
        return self._stored.holder

    @property
    def departures(self) -> tuple[Departure, ...]:
        return self._stored.departures

    @property
    def subjects(self) -> frozenset[str]:
        """All who are named here: whose data lies on the box, whose will, of whom messages wait."""
        stored = self._stored
        named = [
            stored.holder,
            stored.accepted and stored.accepted.subject,
            *(one.subject for one in stored.departures),
        ]
        return frozenset(subject for subject in named if subject)

    @property
    def update(self) -> AskedUpdate | None:
        """The update of which the hospital waits to hear; None: of none."""
        return self._stored.update

    def accept(self, prescription: Prescription) -> None:
        accepted = Accepted(id=prescription.id, subject=prescription.subject, sha256=content_digest(prescription))
        self._change(accepted=accepted, not_after=prescription.issued)

    def withdraw(self) -> None:
        """The last prescription is not to be followed again."""
        accepted = self._stored.accepted
        if accepted is not None and not accepted.withdrawn:
            self._change(accepted=accepted.model_copy(update={"withdrawn": True}))

    def forget_accepted(self, issued: datetime) -> None:
        """The last prescription is not known any more, and none issued at or before that time is followed."""
        before = self._stored.not_after
        self._change(accepted=None, not_after=issued if before is None else max(before, issued))

    def is_leaving(self, subject: str) -> bool:
        """Whether that subject is being forgotten, and messages of them still wait."""
        return any(one.command is not None and one.subject == subject for one in self._stored.departures)

    def hold(self, subject: str | None) -> None:
        if subject != self._stored.holder:
            self._change(holder=subject)

    def begun(self, command: UUID) -> bool:
        """Whether a command with that id was begun before, as far back as it could still be valid, or become so."""
        return command in self._stored.commands

    def begin(self, command: UUID, expires: datetime) -> None:
        now, known = datetime.now(UTC), {**self._stored.commands, command: expires}
        over = [one for one, end in known.items() if end <= now and one != command][:-KEPT_OVER]
        self._change(commands={one: end for one, end in known.items() if one not in over})

    def depart(self, departure: Departure) -> None:
        """The same subject's earlier departure, if nobody waits for its answer, is replaced."""
        others = tuple(one for one in self._stored.departures if one.subject != departure.subject or one.command)
        self._change(departures=(*others, departure))

    def departed(self, departure: Departure) -> None:
        """Nothing of it is left."""
        self._change(departures=self._others(departure))

    def without(self, departure: Departure) -> bytes:
        """What the file holds after `departed`."""
        return _content(self._stored.model_copy(update={"departures": self._others(departure)}))

    def _others(self, departure: Departure) -> tuple[Departure, ...]:
        return tuple(one for one in self._stored.departures if one != departure)

    def await_update(self, asked: AskedUpdate | None) -> None:
        self._change(update=asked)

    def _change(self, **changes: object) -> None:
        with self._lock:
            self._stored = self._stored.model_copy(update=changes)
            try:
                write_whole(self.file, _content(self._stored))
            except (OSError, RecordingError) as error:
                _log.error("what was accepted is not remembered: %s", error)


def _content(stored: _Stored) -> bytes:
    return stored.model_dump_json().encode()


def content_digest(prescription: Prescription) -> str:
    """The same for two payloads that say the same."""
    return hashlib.sha256(encode(prescription)).hexdigest()
