"""What became of the last update, on disk: for the next look after a power cut, and for the daemon, which tells."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from appliance.recording.disk import write_whole

FILE = Path("/var/lib/rehabbox-update/record.json")


@dataclass(frozen=True, slots=True)
class Trial:
    """A new version that has not proved itself: where to go back to, and what was at fault before.

    command: the hospital's, where it asked for this version. why: what is wrong with it; the way back has begun then.
    """

    before: str
    new: str
    faults: frozenset[str]
    command: UUID | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a trial ended. why: what was wrong with that version; None where it works."""

    version: str
    command: UUID | None
    why: str | None


class Record:
    """Written by the updater, whole or not at all; readable by the daemon. A damaged one counts as none.

    What writes raises `RecordingError` where the disk refuses.
    """

    def __init__(self, file: Path = FILE) -> None:
        self._file = file

    @property
    def trial(self) -> Trial | None:
        """The update under way; None where none is."""
        entry = self._read()
        return entry if isinstance(entry, Trial) else None

    @property
    def verdict(self) -> Verdict | None:
        """On the version that was tried last; None while it is on trial, and where none was."""
        entry = self._read()
        return entry if isinstance(entry, Verdict) else None

    @property
    def why(self) -> str | None:
        """What was wrong with the version that was tried last; None where nothing was."""
        verdict = self.verdict
        return None if verdict is None or verdict.why is None else f"{verdict.version} does not work: {verdict.why}"

    def begin(self, trial: Trial) -> None:
        self._write("trial" if trial.why is None else "return", trial.new, trial.command, trial.why,
                    before=trial.before, faults=sorted(trial.faults))  # fmt: skip

    def end(self, verdict: Verdict) -> None:
        self._write("accepted" if verdict.why is None else "refused", verdict.version, verdict.command, verdict.why)

    def forget(self) -> None:
        """Nothing was tried."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> Trial | Verdict | None:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            values: dict[str, Any] = json.loads(self._file.read_bytes())
            version, said, why = str(values["version"]), values["command"], values["why"]
            command = None if said is None else UUID(said)
            match values["state"]:
                case "trial":
                    return Trial(str(values["before"]), version, frozenset(values["faults"]), command)
                case "return":
                    return Trial(str(values["before"]), version, frozenset(values["faults"]), command, str(why))
                case "accepted":
                    return Verdict(version, command, None)
                case "refused":
                    return Verdict(version, command, str(why))
        return None

    def _write(self, state: str, version: str, command: UUID | None, why: str | None, **more: object) -> None:
        entry = {"at": datetime.now(UTC).isoformat(), "state": state, "version": version, "why": why, **more}
        self._file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(self._file, json.dumps(entry | {"command": str(command) if command else None}).encode())
