"""Each result beside its session file, from before it is queued: what the outbox is rebuilt from when it is lost.

`<state>/sessions/<session>/<nn>_<exercise>.result-<sequence>.json` is the payload as it was made. `<state>/sequence`
holds the highest number ever given, so that none is used twice after an erased patient's files are gone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from appliance.recording.disk import sync_folder, write_whole

_NAME = re.compile(r"(?P<place>.+)\.result-(?P<sequence>[1-9][0-9]{0,17})\.json")


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result on disk. `place` names the set in its session: `00_squat`."""

    path: Path
    place: str
    sequence: int

    @property
    def index(self) -> int | None:
        """The exercise's index in its prescription; None where the name does not say."""
        number = self.place.partition("_")[0]
        return int(number) if number.isdecimal() else None

    def read(self) -> bytes | None:
        """The payload; None where it cannot be read or is not the result that the name says."""
        try:
            payload = self.path.read_bytes()
            document = json.loads(payload)
        except (OSError, ValueError):
            return None
        return payload if isinstance(document, dict) and document.get("sequence") == self.sequence else None


class ResultFiles:
    """The results of one box. One thread at a time."""

    def __init__(self, state: Path) -> None:
        """Raises `OSError` where the folder refuses."""
        self._folder, self._mark = state / "sessions", state / "sequence"
        self._folder.mkdir(parents=True, exist_ok=True)
        marked = self._mark.read_bytes() if self._mark.exists() else b""
        numbers = [file.sequence for file in self._all()]
        self.last = max([*numbers, int(marked) if marked.isdigit() else 0])
        """The highest number ever given."""
        self._newest: ResultFile | None = None
        """Of those kept since this object was made."""

    def keep(self, session: str, place: str, sequence: int, payload: bytes) -> ResultFile:
        """On disk when it returns. Raises `RecordingError` where the disk refuses, `OSError` for the folder."""
        folder = self._folder / session
        folder.mkdir(parents=True, exist_ok=True)
        file = ResultFile(folder / f"{place}.result-{sequence}.json", place, sequence)
        write_whole(file.path, payload)
        sync_folder(self._folder)
        self.last = max(self.last, sequence)
        self._newest = file
        write_whole(self._mark, b"%d" % self.last)
        return file

    def at(self, session: str, place: str) -> ResultFile | None:
        """The result of that set, where there is one; one whose writing failed in its last step, too."""
        found = next((file for file in self.of_session(session) if file.place == place), None)
        self.last = max(self.last, found.sequence if found is not None else 0)
        return found

    def of_session(self, session: str) -> list[ResultFile]:
        return _result_files(self._folder.glob(f"{session}/*.result-*.json"))

    def named(self, result_id: UUID) -> tuple[ResultFile, bytes] | None:
        """The result with that id, and its payload; the newest are looked at first."""
        for file in sorted(self._all(), key=lambda file: file.sequence, reverse=True):
            payload = file.read()
            if payload is not None and json.loads(payload).get("id") == str(result_id):
                return file, payload
        return None

    def above(self, sequence: int) -> list[ResultFile]:
        """Those with a higher number, in order. The newest alone is found without a search through all sessions."""
        newest = self._newest
        if newest is not None and sequence + 1 == newest.sequence == self.last and newest.path.exists():
            return [newest]
        return sorted((file for file in self._all() if file.sequence > sequence), key=lambda file: file.sequence)

    def _all(self) -> list[ResultFile]:
        return _result_files(self._folder.glob("*/*.result-*.json"))


def _result_files(paths: Iterable[Path]) -> list[ResultFile]:
    found = ((path, _NAME.fullmatch(path.name)) for path in paths)
    return [ResultFile(path, name["place"], int(name["sequence"])) for path, name in found if name]
