"""What the hospital last asked for, and whether it still holds: one prescription at a time, tasks between its sets, and
the order to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from appliance.messages.prescription import Prescription
from appliance.progress import Progress
from appliance.watchdog import Alive

_log = logging.getLogger(__name__)

POLL_S = 0.2

Interruption = Literal["stopped", "withdrawn", "replaced", "expired", "called"]
"""Why a prescription is not to be followed further. `withdrawn`: also where another subject's took its place. `called`:
a task comes first; it waits for a set under way, and the prescription goes on after it."""

Task = Callable[[Alive], None]
"""Tells that it makes progress."""


class Orders:
    """Any thread may call it. `stop` takes no lock, so a signal handler may call it too.

    on_missed: is given a prescription that expired before it was done, also while the box was off; once, if it says
    that it told the hospital.
    """

    def __init__(
        self, progress: Progress, on_missed: Callable[[Prescription], bool] = lambda prescription: True
    ) -> None:
        self.stopped = False
        self._progress, self._on_missed = progress, on_missed
        self._changed = threading.Condition()
        self._current: Prescription | None = None
        self._not_before_s = 0.0
        self._tasks: deque[Task] = deque()
        self._untold: deque[Prescription] = deque()
        """Missed ones of which the hospital is to hear still."""

    def stop(self) -> None:
        self.stopped = True

    def receive(self, prescription: Prescription | None) -> None:
        """None: the hospital withdrew what it had asked for. The same prescription again changes nothing."""
        with self._changed:
            self._settle()
            self._progress.follow(prescription)
            if prescription is None or self._current is None or prescription.id != self._current.id:
                self._not_before_s = 0.0
            self._current = prescription
            self._changed.notify_all()

    def enlist(self, task: Task) -> None:
        """It is offered by `next` before any prescription, in the order they came."""
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()

    @property
    def current(self) -> Prescription | None:
        return self._current

    def retry(self) -> None:
        """What it waited for may be there: `next` offers the current prescription at once."""
        with self._changed:
            self._not_before_s = 0.0
            self._changed.notify_all()

    def postpone(self, prescription: Prescription, seconds: float) -> None:
        """`next` offers it again after so long; another one, also one that has taken its place already, at once."""
        with self._changed:
            if self._current is not None and self._current.id == prescription.id:
                self._not_before_s = time.monotonic() + seconds

    def next(self, alive: Callable[[], None] = lambda: None) -> Prescription | Task | None:
        """Waits for a task, or a prescription that is valid and not yet done; None when the box is to stop.

        alive: called with every look.
        """
        with self._changed:
            while not self.stopped:
                alive()
                self._settle()
                if self._tasks:
                    return self._tasks.popleft()
                current = self._current
                if current is not None and self._progress.is_done(current):
                    _log.info("prescription %s is done", current.id)
                    self._current = None
                elif current is not None and current.expires <= datetime.now(UTC):
                    _log.warning("prescription %s expired before it was done", current.id)
                    self._current = None
                elif current is not None and time.monotonic() >= self._not_before_s:
                    return current
                self._changed.wait(POLL_S)
        return None

    def _settle(self) -> None:
        missed = self._progress.missed(datetime.now(UTC))
        if missed is not None and missed not in self._untold:
            self._untold.append(missed)
        while self._untold and self._on_missed(self._untold[0]):
            if self._untold.popleft() == missed:
                self._progress.follow(None)

    def interruption(self, prescription: Prescription) -> Interruption | None:
        """Why `prescription` is not to be followed further; None while it is."""
        current = self._current
        if self.stopped:
            return "stopped"
        if current is None or current.subject != prescription.subject:
            return "withdrawn"
        if current.id != prescription.id:
            return "replaced"
        if prescription.expires <= datetime.now(UTC):
            return "expired"
        return "called" if self._tasks else None
