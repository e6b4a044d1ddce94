"""Cameras and IMUs that come back: any driver, behind the ladder of `hal.recovery`, with the driver's own protocol.

While a device is away, reading gives nothing. When it has been away for too long it raises `DeviceLostError` once; who
goes on reading gets the device back if a later attempt succeeds. What it delivers before and after is one line of
stamps and counters (`hal.timeline`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from hal.protocols import Camera, ImuSet
from hal.recovering_source import RecoveringSource
from hal.recovery import Condition
from hal.types import Frame, ImuSample


class RecoveringCamera(RecoveringSource[Camera]):
    """A camera behind the ladder."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time or the camera is away. Raises as the module says."""
        frame = cast(Frame | None, self._read(timeout_s))
        if frame is None:
            return None
        own = frame.index, frame.stamp_ns
        index, stamp_ns = placed = self._place("", *own, frame.arrival_ns)
        self._book.received(1, self._timelines.lost)
        return frame if placed == own else replace(frame, index=index, stamp_ns=stamp_ns)


class RecoveringImuSet(RecoveringSource[ImuSet]):
    """A set of IMUs behind the ladder; a single sensor that is silent beside others is told, and not waited for."""

    _silent: tuple[str, ...] = ()
    _fell_silent: tuple[str, ...] = ()

    @property
    def condition(self) -> Condition:
        """As of now, with what the driver knows of its sensors."""
        return replace(
            super().condition,
            sources=len(self._timelines.sources.union(self._silent)),
            silent=self._silent,
            fell_silent=self._fell_silent,
            battery_percent=getattr(self._driver, "battery_percent", None),
        )

    @property
    def silent(self) -> tuple[str, ...]:
        """As the driver said when it was last heard."""
        return self._silent

    def open(self) -> None:
        self._silent = self._fell_silent = ()
        super().open()

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """What arrived; empty if nothing came in time or the receiver is away. Raises as the module says."""
        samples = cast(Sequence[ImuSample], self._read(timeout_s) or ())
        placed = [self._placed(sample) for sample in samples]
        if placed:
            self._book.received(len(placed), self._timelines.lost)
            self._silent = self._driver.silent
            self._fell_silent += tuple(name for name in self._silent if name not in self._fell_silent)
        return placed

    def _placed(self, sample: ImuSample) -> ImuSample:
        own = sample.counter, sample.stamp_ns
        counter, stamp_ns = placed = self._place(sample.segment, *own, sample.arrival_ns)
        return sample if placed == own else replace(sample, counter=counter, stamp_ns=stamp_ns)
