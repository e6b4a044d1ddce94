"""What a report is about: a session file, or any other recording, with all that is known of how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

from mcap.writer import MCAP0_MAGIC

from appliance.errors import RecordingError
from appliance.messages.prescription import Side
from appliance.recording.disk import open_recording
from appliance.recording.files import read_recording
from appliance.recording.session_reader import read_session
from appliance.skeleton.standard import Recording


@dataclass(frozen=True, slots=True)
class Taken:
    """recording: the skeleton. What is not known is empty or None; a session file knows it all.

    reference: digest of the one that the patient was shown. whole: the file was finished, not cut off.
    """

    path: Path
    recording: Recording
    exercise: str = ""
    side: Side = "both"
    subject: str = ""
    started: datetime | None = None
    reference: str = ""
    camera: str = ""
    software: str = ""
    synthetic: bool = False
    whole: bool = True

    @property
    def title(self) -> str:
        return self.exercise.replace("_", " ") or self.path.name


def read_taken(path: Path) -> Taken:
    """A session's MCAP, FineRehab-style JSON or a skeleton CSV. Raises `RecordingError`, naming the file."""
    with open_recording(path) as file:
        is_session = file.read(len(MCAP0_MAGIC)) == MCAP0_MAGIC
    recording = read_recording(path)
    if not is_session:
        return Taken(path, recording)
    session = read_session(path)
    known = session.metadata
    return Taken(
        path=path,
        recording=recording,
        exercise=known.exercise,
        side=cast(Side, known.side if known.side in get_args(Side) else "both"),
        subject=known.subject,
        started=_instant(known.started),
        reference=known.reference,
        camera=known.camera,
        software=known.software,
        synthetic=known.synthetic,
        whole=session.complete,
    )


def earlier_than(taken: Taken, folder: Path) -> list[Taken]:
    """Session files below `folder` of the same subject, exercise, side and reference that began before, oldest first.

    Others, and what cannot be read, are passed over. Raises `RecordingError` where there is no such folder.
    """
    if not folder.is_dir():
        raise RecordingError(f"--earlier {folder}: is no folder")
    if taken.started is None:
        return []
    found = []
    for path in sorted(folder.rglob("*.mcap")):
        try:
            other = read_taken(path)
        except RecordingError:
            continue
        if _same_exercise(taken, other) and other.started is not None and other.started < taken.started:
            found.append((other.started, other))
    return [other for _, other in sorted(found, key=lambda one: one[0])]


def _same_exercise(a: Taken, b: Taken) -> bool:
    return (a.subject, a.exercise, a.side, a.reference) == (b.subject, b.exercise, b.side, b.reference)


def _instant(text: str) -> datetime | None:
    """In UTC, as is what names no zone; None for what is none."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
