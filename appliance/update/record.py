"""What became of the last update, on disk: for the next look after a power cut, and for the daemon, which tells."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path("/var/lib/rehabbox-update/record.json")


@dataclass(frozen=True, slots=True)
class Trial:
    """A new version that has not proved itself: where to go back to, and what was at fault before."""

    before: str
    new: str
    faults: frozenset[str]


class Record:
    """Written by the updater, whole or not at all; readable by the daemon. A damaged one counts as none."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file

    @property
    def trial(self) -> Trial | None:
        """The update under way; None where none is."""
        values = self._read()
        if values.get("state") != "trial":
            return None
        return Trial(str(values["before"]), str(values["version"]), frozenset(values["faults"]))

    @property
    def refused(self) -> str | None:
        """The version that was tried last and did not work."""
        values = self._read()
        return str(values["version"]) if values.get("state") == "refused" else None

    @property
    def why(self) -> str | None:
        """What was wrong with the version that was tried last; None where nothing was."""
        values = self._read()
        return f"{values['version']} does not work: {values['why']}" if values.get("state") == "refused" else None

    def begin(self, before: str, new: str, faults: frozenset[str]) -> None:
        """faults: names of the checks that fail already."""
        self._write(state="trial", before=before, version=new, faults=sorted(faults))

    def accept(self, version: str) -> None:
        self._write(state="accepted", version=version)

    def refuse(self, version: str, why: str) -> None:
        self._write(state="refused", version=version, why=why)

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            values = json.loads(self._file.read_bytes())
            if isinstance(values, dict):
                return values
        return {}

    def _write(self, **values: object) -> None:
        self._file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        beside = self._file.with_suffix(".tmp")
        with beside.open("w", encoding="utf-8") as stream:
            json.dump({"at": datetime.now(UTC).isoformat(), **values}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._file)
        folder = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
