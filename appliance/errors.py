"""Everything that can be wrong with what the box is given; each message names the file, field or option."""

from typing import Literal
from uuid import UUID


class RehabBoxError(Exception):
    """Base of the tree. The command line prints its message as one line and exits 2."""


class SettingsError(RehabBoxError):
    """A settings file or environment variable holds an unknown key or a value out of range."""


class NotSetUpError(SettingsError):
    """The box is new: it has no camera, or its hospital has not enrolled it. Nothing is wrong, something is missing."""


class RecordingError(RehabBoxError):
    """A recording cannot be read: missing, empty, cut short, binary, a wrong header, no joint in it."""


class ManifestError(RehabBoxError):
    """A manifest cannot be worked through: missing, empty, no CSV, without a column; or its results have no place."""


class NotScorableError(RehabBoxError):
    """A recording was read and cannot be scored: too little seen, too short, an instructor who does not move."""


class ModelError(RehabBoxError):
    """The quality classifier cannot be used: a file of it is missing or damaged, or nothing here can run it."""


class UnknownExerciseError(RehabBoxError):
    """No exercise file has that id."""


class UnknownReferenceError(RehabBoxError):
    """No reference recording with that digest is at hand, or its content does not match its digest."""


Refusal = Literal[
    "invalid", "too_old", "id_reused", "repeated", "expired", "future", "wrong_box", "wrong_topic", "retained",
    "unknown_command", "unknown_exercise", "unknown_result", "bad_digest", "bad_signature", "no_key", "not_scorable",
    "no_space", "response_topic", "being_forgotten",
]  # fmt: skip


class RefusedError(RehabBoxError):
    """A message from the hospital is invalid, or not to be followed; nothing was changed.

    code: why, for programmes. request: the message's own id, where it could be read.
    """

    def __init__(self, what: str, code: Refusal = "invalid", request: UUID | None = None) -> None:
        super().__init__(what)
        self.code: Refusal = code
        self.request = request


class OutboxError(RehabBoxError):
    """The outbox cannot be read or written: its disk is full, its folder is not ours, a newer version wrote it."""


class EnrolmentError(RehabBoxError):
    """A box cannot be enrolled or its certificate renewed: a file, a certificate or a server is at fault."""


class NetworkError(RehabBoxError):
    """The network file cannot be used, or what it says cannot be put in force."""


class FleetError(RehabBoxError):
    """The hospital's list of boxes cannot be used or changed: nothing was, and the message says which part why."""


class BrokerError(RehabBoxError):
    """The throw-away broker of the demo and the tests cannot be started: mosquitto is missing or gave up."""
