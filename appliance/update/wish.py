"""The hospital's word that a version is to be installed now, from the daemon, who may not, to the updater, who may; and
the updater's word of what came of it, for the daemon to tell.

The daemon leaves a file in its folder below /run, systemd sees it (rehabbox-update.path) and starts the updater, which
moves it to its own folder: there it waits until no session runs. What came of it lies beside it then.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from appliance.errors import RehabBoxError
from appliance.recording.disk import write_whole
from appliance.update.packages import SOURCE

ASKED = Path("/run/rehabbox/update-wanted")
FOLDER = Path("/var/lib/rehabbox-update")
KEPT, OUTCOME = "wanted", "outcome.json"
_WISH = re.compile(r"([A-Za-z0-9.+~:-]{1,64}) ([0-9a-f-]{36}) ([0-9T:.+-]{25,32})")
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Wish:
    """command: the id of the hospital's command, by which what came of it is found again. Not begun after `expires`."""

    version: str
    command: UUID
    expires: datetime

    def __str__(self) -> str:
        return f"{self.version} {self.command} {self.expires.isoformat()}"


@dataclass(frozen=True, slots=True)
class UpdateOutcome:
    """What came of a wish. what: in words. expired: it was not even begun, for its time was over."""

    installed: bool
    what: str
    expired: bool = False


class UpdaterAsked:
    """The daemon's side, where there is an updater to be asked: on a box that the package was installed on."""

    def __init__(self, asked: Path = ASKED, folder: Path = FOLDER, source: Path = SOURCE) -> None:
        self._asked, self._folder, self._source = asked, folder, source

    @property
    def there(self) -> bool:
        return self._asked.parent.is_dir()

    def update(self, version: str, command: UUID, expires: datetime) -> str:
        """Says in words what will happen. Raises `OSError`, `RehabBoxError` where nothing can."""
        if not self._source.exists():
            raise RehabBoxError(f"the box knows no package source of the hospital; name it in {self._source}")
        beside = self._asked.with_suffix(".tmp")
        beside.write_text(str(Wish(version, command, expires)), "ascii")
        beside.replace(self._asked)
        return f"{version} is installed from the hospital's package source as soon as no session runs"

    def outcome(self, command: UUID) -> UpdateOutcome | None:
        """None while it waits or is under way."""
        # In the updater's order: a wish is gone only after it was kept, or its outcome written.
        waits = [_read(file) for file in (self._asked, _taken(self._asked), self._folder / KEPT)]
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = json.loads((self._folder / OUTCOME).read_bytes())
            if told["command"] == str(command):
                return UpdateOutcome(bool(told["installed"]), str(told["what"]), bool(told["expired"]))
        if any(wish is not None and wish.command == command for wish in waits):
            return None
        return UpdateOutcome(False, "it was lost in a power cut before it began; ask again with a new id")


class Wishes:
    """The updater's side."""

    def __init__(self, asked: Path = ASKED, folder: Path = FOLDER) -> None:
        self._asked, self._folder = asked, folder

    def take(self) -> Wish | None:
        """What was asked for last, until it is fulfilled. A word that is no wish counts as none."""
        kept, taken = self._folder / KEPT, _taken(self._asked)
        with suppress(OSError):  # none, or one that was being moved when the updater was ended
            self._asked.replace(taken)
        wish = _read(taken)
        if wish is not None:
            _write(kept, str(wish))
        with suppress(OSError):
            taken.unlink()
        return _read(kept)

    def fulfil(self, wish: Wish, outcome: UpdateOutcome) -> None:
        """Whatever came of it."""
        _write(self._folder / OUTCOME, json.dumps({"command": str(wish.command), **asdict(outcome)}))
        if _read(self._folder / KEPT) == wish:
            (self._folder / KEPT).unlink()


def _taken(asked: Path) -> Path:
    """What was asked for, while the updater moves it: another word that comes meanwhile is not touched."""
    return asked.with_suffix(".taken")


def _read(file: Path) -> Wish | None:
    """One folder is the daemon's, and we may be root: no link is followed, and nothing that is no file waited for."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            word = os.read(descriptor, _LONGEST).decode("ascii").strip()
        finally:
            os.close(descriptor)
        found = _WISH.fullmatch(word)
        return Wish(found[1], UUID(found[2]), datetime.fromisoformat(found[3])) if found else None
    except (OSError, ValueError):
        return None


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_whole(file, text.encode())
