"""How far the prescription has come, and which session is open, on disk: an unplugged box goes on where it was."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from appliance.errors import RecordingError
from appliance.messages.answer import ErasedFile
from appliance.messages.model import fault_of
from appliance.messages.prescription import Prescription
from appliance.messages.session import Session
from appliance.privacy.erasing import erase_file
from appliance.recording.disk import write_whole

_log = logging.getLogger(__name__)


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    prescription: UUID | None = None
    done: frozenset[int] = frozenset()
    session: Session | None = None
    due: Prescription | None = None


class Progress:
    """One small file, replaced whole. A damaged one counts as none: exercises are then offered again.

    A disk that refuses is logged, not raised: the session goes on, and is only not remembered. Any thread may use it.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.RLock()
        self._stored = _Stored()
        try:
            self._stored = _Stored.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            why = fault_of(error) if isinstance(error, ValidationError) else error
            _log.warning("%s is not readable (%s); the prescription starts from its first exercise", file, why)

    @property
    def interrupted(self) -> Session | None:
        """The session that was open when the box last ended without closing it."""
        return self._stored.session

    def remaining(self, prescription: Prescription) -> list[int]:
        """Which of its exercises have no result yet, by index."""
        done = self._stored.done if self._stored.prescription == prescription.id else frozenset()
        return [index for index in range(len(prescription.exercises)) if index not in done]

    def is_done(self, prescription: Prescription) -> bool:
        return not self.remaining(prescription)

    def set_done(self, prescription: UUID, *indices: int) -> None:
        with self._lock:
            done = self._stored.done if self._stored.prescription == prescription else frozenset()
            self._change(prescription=prescription, done=done | set(indices))

    def follow(self, prescription: Prescription | None) -> None:
        """It is to be done by its end; None: nothing is, or what was is settled."""
        with self._lock:
            if prescription != self._stored.due:
                self._change(due=prescription)

    def missed(self, now: datetime) -> Prescription | None:
        """What was to be followed, if its time is over and not everything of it was done."""
        due = self._stored.due
        return due if due is not None and due.expires <= now and not self.is_done(due) else None

    def open_session(self, session: Session) -> None:
        """It is open, in this state."""
        self._change(session=session)

    def close_session(self) -> None:
        with self._lock:
            if self._stored.session is not None:
                self._change(session=None)

    def erase(self, left: str | None, base: Path) -> list[ErasedFile]:
        """The file goes, and nothing is known any more but what somebody else than the subject `left` is to do.

        Raises `OSError`. base: the file's name is told relative to it.
        """
        with self._lock:
            due = self._stored.due
            self._stored = _Stored()
            erased = [erase_file(self._file, base)] if self._file.exists() else []
            if due is not None and due.subject != left:
                self.follow(due)
        return erased

    def _change(self, **changes: object) -> None:
        with self._lock:
            self._stored = self._stored.model_copy(update=changes)
            try:
                write_whole(self._file, self._stored.model_dump_json().encode())
            except (OSError, RecordingError) as error:
                _log.error("progress is not remembered: %s", error)
