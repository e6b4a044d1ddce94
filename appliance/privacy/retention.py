"""Session files are kept for so many days and within so many bytes, and then erased; the settings say how many of each.

What the hospital does not have yet is kept for as long as it takes, since the outbox could be rebuilt from the files
beside it; only the limit in bytes goes before that, for a full disk loses more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from appliance.clock import is_sane
from appliance.hospital.outbox import Outbox
from appliance.privacy.erasing import erase_tree
from appliance.settings import RetentionSettings
from appliance.watchdog import Alive

_log = logging.getLogger(__name__)

LOOK_S = 3600.0
STILL = timedelta(hours=1)
"""A session in whose folder something was written since is under way, or may be."""


@dataclass(frozen=True, slots=True)
class _Session:
    folder: Path
    written: datetime
    bytes: int


class Retention:
    """`enforce` is called now and then, and looks once an hour."""

    def __init__(
        self, settings: RetentionSettings, state: Path, outbox: Outbox, open_session: Callable[[], UUID | None]
    ) -> None:
        self._settings, self._state, self._outbox, self._open_session = settings, state, outbox, open_session
        self._looked_s: float | None = None

    def enforce(self, alive: Alive) -> int:
        """How many sessions' files were erased; one that cannot be is logged and keeps no other. Raises `OutboxError`,
        `OSError`."""
        if self._looked_s is not None and time.monotonic() - self._looked_s < LOOK_S:
            return 0
        self._looked_s = time.monotonic()
        erased = 0
        for session in self._due(datetime.now(UTC)):
            try:
                erase_tree(session.folder, self._state, alive)
                session.folder.rmdir()
            except OSError as error:
                _log.warning("the files of session %s are not erased: %s", session.folder.name, error)
                continue
            erased += 1
            _log.info("the files of session %s are erased: their time is over", session.folder.name)
        return erased

    def _due(self, now: datetime) -> list[_Session]:
        """Oldest first. None by age while the clock was never set."""
        unsent = self._outbox.counters().oldest
        oldest = now - timedelta(days=self._settings.days)
        ended = [session for session in self._sessions() if session.written < now - STILL]
        spare = sum(session.bytes for session in ended) - (self._settings.megabytes << 20)
        due = []
        for session in sorted(ended, key=lambda session: session.written):
            too_old = is_sane(now) and session.written < oldest and (unsent is None or session.written < unsent)
            if too_old or spare > 0:
                due.append(session)
                spare -= session.bytes
        return due

    def _sessions(self) -> list[_Session]:
        under_way = str(self._open_session())
        found = []
        for folder in (self._state / "sessions").glob("*"):
            if folder.name != under_way and folder.is_dir() and not folder.is_symlink():
                files = [file.stat() for file in folder.rglob("*") if file.is_file()]
                written = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
                size = sum(file.st_size for file in files)
                found.append(_Session(folder, datetime.fromtimestamp(written, UTC), size))
        return found
