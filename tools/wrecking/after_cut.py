"""What must be so of the state that a power cut left, before the box is started again."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.errors import RecordingError
from appliance.recording.session_reader import read_session


@dataclass
class Found:
    """faults: what is not valid, one line each. results: ids of those that are still there.

    last_frame_ns: of the set that was being recorded, on the host's clock; None where none was.
    """

    faults: list[str] = field(default_factory=list)
    results: set[str] = field(default_factory=set)
    finished: int = 0
    unfinished: int = 0
    last_frame_ns: int | None = None


def look(state: Path) -> Found:
    found = Found()
    for name in ("progress.json", "accepted.json"):
        _parse(state / name, found)
    _queue(state / "outbox.sqlite", found)
    for file in sorted((state / "sessions").rglob("*.result-*.json")):
        result = _parse(file, found)
        if isinstance(result, dict):
            found.results.add(result["id"])
    for file in sorted((state / "sessions").rglob("*.mcap")):
        found.finished += 1
        try:
            if read_session(file).damaged:
                found.faults.append(f"{file.name}: is damaged")
        except RecordingError as error:
            found.faults.append(str(error))
    for file in sorted((state / "sessions").rglob("*.part")):
        _begun(file, found)
    return found


def _parse(file: Path, found: Found) -> object:
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        found.faults.append(f"{file.name}: {error}")
        return None


def _queue(file: Path, found: Found) -> None:
    """Of a copy: opening it is what the box is to do."""
    if not file.exists():
        return
    with TemporaryDirectory() as name:
        for part in file.parent.glob(f"{file.name}*"):
            shutil.copy(part, name)
        database = sqlite3.connect(Path(name, file.name))
        try:
            (report,) = database.execute("PRAGMA integrity_check").fetchone()
            if report != "ok":
                found.faults.append(f"{file.name}: {report}")
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
                return  # the box was cut off while it made it
            for topic, payload, crc in database.execute("SELECT topic, payload, crc FROM outbox"):
                if zlib.crc32(payload, zlib.crc32(topic.encode())) != crc:
                    found.faults.append(f"{file.name}: a row is not as it was written")
                elif "/result/" in topic:
                    found.results.add(json.loads(payload)["id"])
        except sqlite3.Error as error:
            found.faults.append(f"{file.name}: {error}")
        finally:
            database.close()


def _begun(file: Path, found: Found) -> None:
    """A file that is being recorded; one whose first records never reached the disk is no recording yet."""
    found.unfinished += 1
    try:
        recording = read_session(file)
    except RecordingError:
        return
    if recording.damaged:
        found.faults.append(f"{file.name}: damaged before its end")
    if len(recording.host_ns):
        found.last_frame_ns = max(found.last_frame_ns or 0, int(recording.host_ns[-1]))
