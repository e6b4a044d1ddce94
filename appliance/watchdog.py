"""The supervisor's watchdog, fed only while every part of the box makes progress (sd_notify(3), `WATCHDOG=1`).

Each long-lived thread says so with every turn of its loop. One that has not for four of the supervisor's periods hangs,
and a box in which a part hangs is better started anew: that is asked for at once (`WATCHDOG=trigger`), and the log says
which part it was and where it stood. Without a supervisor's watchdog nothing is watched.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from systemd.daemon import notify

_log = logging.getLogger(__name__)

PERIODS = 4
"""A part may be silent for so many of the supervisor's periods: a device takes seconds to open, a score to compute."""
FEEDS = 3
"""Signs of life a period; one that comes late does no harm."""

Alive = Callable[..., None]
"""`alive(quiet_s=0.0)`: the part makes progress, and may be silent for so long on purpose from here on."""


@dataclass(slots=True)
class _Part:
    name: str
    thread: int
    due_s: float


class Watchdog:
    """Any thread may use it. There is one in a process: `WATCHDOG`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: dict[int, _Part] = {}
        self._lock = threading.Lock()
        self._patience_s = 0.0
        self._stopping = threading.Event()
        self._feeder: threading.Thread | None = None

    @contextmanager
    def watched(self, name: str) -> Iterator[Alive]:
        """A part of the box that works in this thread, until the context is left."""
        part = _Part(name, threading.get_ident(), self._due_s(0.0))
        with self._lock:
            self._parts[id(part)] = part

        def alive(quiet_s: float = 0.0) -> None:
            part.due_s = self._due_s(quiet_s)

        try:
            yield alive
        finally:
            with self._lock:
                del self._parts[id(part)]

    def start(self, environment: Mapping[str, str] = os.environ, tell: Callable[[str], object] = notify) -> None:
        """Feeds the supervisor in a thread of its own, as it asks for in `WATCHDOG_USEC`. Fed already: nothing more."""
        period_s = int(environment.get("WATCHDOG_USEC", "0")) / 1e6
        if not period_s or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
            return
        if self._feeder is not None and self._feeder.is_alive():
            return
        self._patience_s = PERIODS * period_s
        self._stopping.clear()
        with self._lock:
            for part in self._parts.values():
                part.due_s = self._due_s(0.0)
        self._feeder = threading.Thread(target=self._feed, args=(period_s / FEEDS, tell), name="watchdog", daemon=True)
        self._feeder.start()

    def stop(self) -> None:
        self._stopping.set()

    def _feed(self, interval_s: float, tell: Callable[[str], object]) -> None:
        while not self._stopping.is_set():
            overdue = self._overdue()
            if overdue:
                _log.critical("the box is started anew: no progress in %s", "; ".join(map(_where, overdue)))
            try:
                tell("WATCHDOG=trigger" if overdue else "WATCHDOG=1")
            except OSError as error:
                _log.warning("systemd cannot be told that the box is alive: %s", error)
            if overdue:
                return
            self._stopping.wait(interval_s)

    def _overdue(self) -> list[_Part]:
        now_s = self._clock()
        with self._lock:
            return [part for part in self._parts.values() if part.due_s < now_s]

    def _due_s(self, quiet_s: float) -> float:
        return self._clock() + self._patience_s + quiet_s


def _where(part: _Part) -> str:
    """Its name, and the innermost lines it stands in."""
    frame = sys._current_frames().get(part.thread)
    if frame is None:
        return f"{part.name} (its thread is gone)"
    steps = traceback.extract_stack(frame)[-3:]
    return f"{part.name} (in {', '.join(f'{step.filename}:{step.lineno} {step.name}' for step in steps)})"


WATCHDOG = Watchdog()
