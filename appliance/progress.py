"""How far the current prescription has come, on disk: a box that was unplugged goes on where it was."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from uuid import UUID

_log = logging.getLogger(__name__)


class Progress:
    """One small file, replaced whole. A damaged one counts as none: exercises are then offered again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._prescription, self._done = "", 0
        try:
            stored = json.loads(file.read_text("utf-8"))
            self._prescription, self._done = str(stored["prescription"]), int(stored["done"])
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s is not readable (%s); the prescription starts from its first exercise", file, error)

    def done(self, prescription: UUID) -> int:
        """How many of its exercises are over."""
        return self._done if self._prescription == str(prescription) else 0

    def set_done(self, prescription: UUID, done: int) -> None:
        self._prescription, self._done = str(prescription), done
        temporary = self._file.with_name(self._file.name + ".new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({"prescription": self._prescription, "done": done}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._file)
