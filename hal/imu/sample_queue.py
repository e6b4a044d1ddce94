"""What arrived and was not read yet: bounded, and what did not fit is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from threading import Condition

from hal.errors import HalError
from hal.types import ImuSample


class SampleQueue:
    """Between a driver's reader thread and `read`. When full, the oldest samples give way."""

    def __init__(self, capacity: int) -> None:
        self._samples: deque[ImuSample] = deque(maxlen=capacity)
        self._capacity = capacity
        self._changed = Condition()
        self._fault: HalError | None = None
        self.dropped = 0

    def put(self, samples: Sequence[ImuSample]) -> None:
        """Appends in order of arrival."""
        if not samples:
            return
        with self._changed:
            self.dropped += max(0, len(self._samples) + len(samples) - self._capacity)
            self._samples.extend(samples)
            self._changed.notify()

    def fail(self, fault: HalError) -> None:
        """The device is gone: once everything is read, `get` raises this."""
        with self._changed:
            self._fault = fault
            self._changed.notify()

    def get(self, timeout_s: float) -> list[ImuSample]:
        """Everything that waits; empty if nothing came in time. Raises the fault behind the last sample."""
        with self._changed:
            self._changed.wait_for(lambda: self._samples or self._fault, max(0.0, timeout_s))
            samples = list(self._samples)
            self._samples.clear()
            if not samples and self._fault is not None:
                raise self._fault
            return samples
