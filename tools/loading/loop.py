"""One thread for all boxes: waits for their sockets and their times, and calls what belongs to them."""

from __future__ import annotations

import heapq
import selectors
import socket
from collections.abc import Callable
from itertools import count
from time import monotonic

Job = Callable[[], None]


class Loop:
    """`lag_s`: the longest that a job came behind its time since that was last set to zero: how overloaded we are."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._times: list[tuple[float, int, Job]] = []
        self._numbers = count()
        self.lag_s = 0.0

    def at(self, time_s: float, job: Job) -> None:
        """time_s: monotonic."""
        heapq.heappush(self._times, (time_s, next(self._numbers), job))

    def after(self, delay_s: float, job: Job) -> None:
        self.at(monotonic() + delay_s, job)

    def watch(self, line: socket.socket, job: Job, *, reading: bool = True, writing: bool = False) -> None:
        """Instead of what was said of that socket before."""
        events = selectors.EVENT_READ * reading | selectors.EVENT_WRITE * writing
        try:
            self._selector.modify(line, events, job)
        except KeyError:
            self._selector.register(line, events, job)

    def forget(self, line: socket.socket) -> None:
        """Before it is closed."""
        if line.fileno() >= 0 and line.fileno() in self._selector.get_map():
            self._selector.unregister(line)

    def run(self, until: Callable[[], bool]) -> None:
        """Returns soon after `until` is true."""
        while not until():
            wait_s = min(self._times[0][0] - monotonic(), 0.1) if self._times else 0.1
            for key, _ in self._selector.select(max(wait_s, 0.0)):
                key.data()
            now = monotonic()
            while self._times and self._times[0][0] <= now:
                due_s, _, job = heapq.heappop(self._times)
                self.lag_s = max(self.lag_s, now - due_s)
                job()
