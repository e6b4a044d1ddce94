"""Time for devices that replay: it passes as soon as every one of them waits for it.

Both of the process's clocks are moved (tools/wrecking/clock.c), so that all of the box sees the same time.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

_LOOK_S = 0.05
_SLACK_NS = 300_000_000
"""By so much a device may be ahead of the others, who need not be woken for each of its frames."""


class Pace:
    """Devices that are open keep step; thread-safe. One that is busy, or was lost and is not open again, holds all."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as stream:
            self._passed = mmap.mmap(stream.fileno(), 16)
        self._changed = threading.Condition()
        self._due_ns: dict[str, int | None] = {}

    def join(self, device: str) -> None:
        with self._changed:
            self._due_ns[device] = None

    def leave(self, device: str) -> None:
        with self._changed:
            self._due_ns.pop(device, None)
            self._changed.notify_all()

    def reached(self, device: str, due_ns: int, timeout_s: float) -> bool:
        """Waits until about then on the monotonic clock, for so long in truth at most; whether it came."""
        with self._changed:
            self._due_ns[device] = due_ns
            for _ in range(max(1, round(timeout_s / _LOOK_S))):
                if self._come(due_ns):
                    self._due_ns[device] = None
                    return True
                self._changed.wait(_LOOK_S)
            return False

    def _come(self, due_ns: int) -> bool:
        now_ns = time.monotonic_ns()
        waiting = [due for due in self._due_ns.values() if due is not None]
        if len(waiting) == len(self._due_ns) and (first := min(waiting)) > now_ns:
            struct.pack_into("q", self._passed, 8, struct.unpack_from("q", self._passed, 8)[0] + first - now_ns)
            self._changed.notify_all()
            now_ns = first
        return now_ns >= due_ns - _SLACK_NS


PACE = Pace(Path(os.environ["CHAOS_CLOCK"]))
