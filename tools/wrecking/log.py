"""What a box noted of its results in its log."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_STORED = re.compile(rb"result (\d+) is on disk: ([0-9a-f-]{36})")
_OVER = re.compile(rb"cue: (done|abandoned) ")


@dataclass
class Log:
    """What the box wrote, over all its lives; a line is with the kernel before the box goes on."""

    file: Path
    stored: dict[str, int] = field(default_factory=dict)
    """Sequence by id, of results that it noted as on disk."""
    announced: set[str] = field(default_factory=set)
    """Ids of those after which it told the patient that the exercise is over."""
    _read: int = 0
    _last: str | None = None

    def update(self) -> None:
        with self.file.open("rb") as stream:
            stream.seek(self._read)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                if (found := _STORED.search(line)) is not None:
                    self._last = found[2].decode()
                    self.stored[self._last] = int(found[1])
                elif _OVER.search(line) and self._last is not None:
                    self.announced.add(self._last)
                    self._last = None

    def born(self) -> None:
        """A new life: what it announces is its own."""
        self.update()
        self._last = None
