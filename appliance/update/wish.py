"""The hospital's word that a version is to be installed now, from the daemon, who may not, to the updater, who may.

The daemon leaves a file in its folder below /run, systemd sees it (rehabbox-update.path) and starts the updater, which
moves it to its own folder: there it waits until no session runs.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

ASKED = Path("/run/rehabbox/update-wanted")
KEPT = Path("/var/lib/rehabbox-update/wanted")
VERSION = r"[A-Za-z0-9.+~:-]{1,64}"


class UpdaterAsked:
    """The daemon's side, where there is an updater to be asked: on a box that the package was installed on."""

    def __init__(self, asked: Path = ASKED) -> None:
        self._asked = asked

    @property
    def there(self) -> bool:
        return self._asked.parent.is_dir()

    def update(self, version: str) -> str:
        """Says in words what will happen. Raises `OSError`."""
        beside = self._asked.with_suffix(".tmp")
        beside.write_text(version, "ascii")
        beside.replace(self._asked)
        return f"{version} is installed from the hospital's package source as soon as no session runs"


def take(asked: Path = ASKED, kept: Path = KEPT) -> str | None:
    """The updater's side: what was asked for last, until `fulfilled`. A word that is no version counts as none."""
    with suppress(OSError, UnicodeDecodeError):
        word = _first_bytes(asked).decode("ascii").strip()
        asked.unlink()
        if re.fullmatch(VERSION, word):
            kept.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            kept.write_text(word, "ascii")
    try:
        return kept.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return None


def _first_bytes(file: Path) -> bytes:
    """The folder is the daemon's, and we are root: no link is followed, and nothing that is no file is waited for."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 100)
    finally:
        os.close(descriptor)


def fulfilled(kept: Path = KEPT) -> None:
    """Whatever came of it."""
    kept.unlink(missing_ok=True)
