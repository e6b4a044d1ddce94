"""What each kind of device can be asked. Drivers satisfy these by shape; none inherits from another.

The order of calls is open, any number of reads, close. `open` may be called again after `close`; `close` may be
called twice and before `open`. A driver owns its threads and descriptors and leaves none behind after `close`.

A driver may have more: `capabilities`, a tuple of a few words for `rehabbox doctor`, where a camera that gives depth
says `depth`, so that the loops over it are compiled before its first picture; `reset()`, which brings a device back
that opening alone does not (`hal.recovering` calls it while the device is closed); `present`, whether it is plugged in,
as cheap as a look at a file (asked while the device is away). A set of IMUs may have `battery_percent`, of
its receiver or None. An indicator may have `show_anew(cue)`, which opens what could not show it, and shows it there;
else it is closed and opened as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from pydantic import BaseModel

from hal.types import Absent, Body, Cue, DeviceInfo, Frame, ImuSample


class Driver(Protocol):
    """What every driver has: an options model (unknown keys refused), who it is, open and close."""

    Options: ClassVar[type[BaseModel]]

    @property
    def info(self) -> DeviceInfo: ...

    def open(self) -> None:
        """Connect. Raises `DeviceNotFoundError` or `UnreadableRecordingError`."""
        ...

    def close(self) -> None:
        """Release everything; never raises for a device that is already gone."""
        ...


class Losses(Protocol):
    """What never reached the reader since `open`. A driver's own counters may hold more; `health` shows all of them."""

    @property
    def lost(self) -> int:
        """Frames or samples that the device took and that did not arrive."""
        ...

    @property
    def dropped(self) -> int:
        """Frames or samples that arrived, and that nobody read in time: what waits for a reader is bounded."""
        ...


class Camera(Driver, Protocol):
    @property
    def counters(self) -> Losses:
        """Since the last `open`; still readable after `close`."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time. Raises `DeviceLostError`, `StreamEndedError`."""
        ...


class ImuSet(Driver, Protocol):
    """All body-worn sensors behind one receiver."""

    @property
    def counters(self) -> Losses:
        """Since the last `open`; still readable after `close`."""
        ...

    @property
    def silent(self) -> tuple[str, ...]:
        """Segments of the settings whose sensors are missing, or gave nothing new for some seconds while others did.

        All of them before the first opening. Asked after a read; what it says of a closed set means nothing.
        """
        ...

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """What arrived, in order of arrival; empty if nothing came in time. Raises like `Camera.read`."""
        ...


class PoseEstimator(Driver, Protocol):
    def estimate(self, frame: Frame) -> Body | Absent:
        """The one person's joints, or why there are none. Frames are passed in order."""
        ...


class Indicator(Driver, Protocol):
    """Light and voice: how the box speaks to the patient."""

    def show(self, cue: Cue) -> None:
        """Make a state seen and heard; replaces the one before."""
        ...


class Button(Driver, Protocol):
    """One thing to press: to stop, and to answer."""

    def presses(self) -> int:
        """How often it was pressed since it was asked before, or opened; returns at once. Raises `DeviceLostError`."""
        ...
