"""The devices of a day in little time: plug-ins of the box under test, which replay sets as fast as it takes them.

Which set it is, the box says itself: the indicator hears the cue. What goes wrong in a set follows from its number.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from hal.errors import DeviceLostError, StreamEndedError
from hal.registry import build_camera, build_indicator, build_pose
from hal.types import Absent, Body, Counters, Cue, DeviceInfo, Frame, ImuSample
from pace import PACE
from performed import CAMERA_HZ, EXERCISES, FILMED, IMU_HZ, WORN, performed

CAMERA_LOST_EVERY, SENSORS_LOST_EVERY, FRAMES_LOST_EVERY, NOBODY_EVERY = 7, 5, 3, 11
"""Sets, of which one has that fault."""
_FAULT_AT = 0.4
_BATCH = 6


class _Set:
    """The one that is under way."""

    number = 0
    exercise, side = EXERCISES[0]


def _every(sets: int) -> bool:
    return _Set.number % sets == 0


class NoOptions(BaseModel):
    """None."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FilmOptions(NoOptions):
    """film: a video."""

    film: Path


class DayIndicator:
    """Hears what is asked for, and writes it to the log as a box without light does."""

    capabilities: ClassVar[tuple[str, ...]] = ("log",)
    Options = NoOptions

    def __init__(self, options: NoOptions) -> None:
        self._silent = build_indicator({"driver": "silent"})

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("day", "a log that the devices hear", 0.0, synthetic=True)

    def open(self) -> None:
        """Nothing to connect to."""

    def close(self) -> None:
        """Nothing to release."""

    def show(self, cue: Cue) -> None:
        if cue.kind == "ready":
            _Set.number += 1
            _Set.exercise, _Set.side = cue.exercise, cue.side
        self._silent.show(cue)


class DayCamera:
    """Skeletons at 30 frames a second; in a filmed set the film's pictures at its own rate."""

    capabilities: ClassVar[tuple[str, ...]] = ("body", "synthetic", "replay")
    Options = FilmOptions

    def __init__(self, options: FilmOptions) -> None:
        self._film = options.film
        self._frames: Iterator[Frame] = iter(())
        self._next: Frame | None = None
        self._lost_in = 0
        self._counters = Counters()

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("day", "replayed sets", CAMERA_HZ, synthetic=True)

    @property
    def counters(self) -> Counters:
        return self._counters

    def open(self) -> None:
        PACE.join("camera")
        filmed = _Set.exercise == FILMED
        began_ns = time.monotonic_ns()
        self._frames = self._filmed(began_ns) if filmed else self._performed(began_ns)
        self._next = next(self._frames)

    def close(self) -> None:
        self._frames, self._next = iter(()), None
        if self._lost_in != _Set.number:
            PACE.leave("camera")

    def read(self, timeout_s: float) -> Frame | None:
        frame = self._next
        if frame is None:
            raise StreamEndedError("the set is over")
        if not PACE.reached("camera", frame.arrival_ns, timeout_s):
            return None
        self._next = next(self._frames, None)
        return frame

    def _performed(self, began_ns: int) -> Iterator[Frame]:
        done = performed(_Set.exercise, _Set.side)
        rng = np.random.default_rng(_Set.number)
        count = len(done.positions)
        first = 0
        if self._lost_in == _Set.number:  # opened again: the patient went on
            first = int(_FAULT_AT * count)
        for index in range(first, 10 * count):
            at = int((index - first) / CAMERA_HZ * 1e9)
            if _every(CAMERA_LOST_EVERY) and index == int(_FAULT_AT * count) and self._lost_in != _Set.number:
                self._lost_in = _Set.number
                raise DeviceLostError("replayed sets: the camera is gone from its bus")
            if _every(FRAMES_LOST_EVERY) and index % 50 in (20, 21, 22):
                continue
            positions = done.positions[min(index, count - 1)] + rng.normal(0.0, 0.005, (17, 3))
            nobody = _every(NOBODY_EVERY) and 0 <= index - int(_FAULT_AT * count) < 20
            body = None if nobody else Body("standard_17", positions, np.ones(17))
            yield Frame(index, at + 1_000_000_000, began_ns + at + int(rng.exponential(4e6)), body=body)

    def _filmed(self, began_ns: int) -> Iterator[Frame]:
        camera = build_camera({"driver": "video", "file": str(self._film)})
        camera.open()
        try:
            while True:
                frame = camera.read(1.0)
                assert frame is not None
                at = began_ns + frame.stamp_ns
                yield Frame(frame.index, frame.stamp_ns, at, frame.color)
        except StreamEndedError:
            return
        finally:
            camera.close()


class DaySensors:
    """Sensors on the body at 50 samples a second, with a clock of their own and a lost sample in a hundred."""

    capabilities: ClassVar[tuple[str, ...]] = ("acceleration", "rotation", "orientation", "synthetic", "replay")
    Options = NoOptions

    def __init__(self, options: NoOptions) -> None:
        self._samples: Iterator[list[ImuSample]] = iter(())
        self._next: list[ImuSample] | None = None
        self._lost_in = 0
        self._counters = Counters()

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("day", "replayed sensors", IMU_HZ, synthetic=True)

    @property
    def counters(self) -> Counters:
        return self._counters

    @property
    def silent(self) -> tuple[str, ...]:
        return ()

    def open(self) -> None:
        PACE.join("imu")
        self._samples = self._felt(time.monotonic_ns())
        self._next = next(self._samples)

    def close(self) -> None:
        self._samples, self._next = iter(()), None
        if self._lost_in != _Set.number:
            PACE.leave("imu")

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        samples = self._next
        assert samples is not None
        if not PACE.reached("imu", samples[-1].arrival_ns, timeout_s):
            return ()
        self._next = next(self._samples)
        return samples

    def _felt(self, began_ns: int) -> Iterator[list[ImuSample]]:
        """Batches as a receiver sends them; without end."""
        done = performed(*((_Set.exercise, _Set.side) if _Set.exercise != FILMED else EXERCISES[0]))
        rng = np.random.default_rng(_Set.number)
        count = len(done.acceleration)
        first = int(_FAULT_AT * count) if self._lost_in == _Set.number else 0
        index = first
        while True:
            if _every(SENSORS_LOST_EVERY) and index >= _FAULT_AT * count and self._lost_in != _Set.number:
                self._lost_in = _Set.number
                raise DeviceLostError("replayed sensors: the receiver is gone from its bus")
            ticks = range(index, index + _BATCH)
            index += _BATCH
            arrival_ns = began_ns + int((ticks[-1] - first) / IMU_HZ * 1e9 + rng.exponential(3e6))
            kept = rng.random((_BATCH, len(WORN))) > 0.01
            kept[-1] = True
            yield [
                ImuSample(
                    segment, tick, int((tick - first) / IMU_HZ * 1e9 * 1.00002) + 7_000_000_000, arrival_ns,
                    done.acceleration[at, sensor], done.angular_velocity[at, sensor], done.orientation[at, sensor],
                )
                for row, tick in enumerate(ticks) for at in [min(tick, count - 1)]
                for sensor, segment in enumerate(WORN) if kept[row, sensor]
            ]  # fmt: skip


class DayPose:
    """The box's own pose network for pictures, the camera's joints where there is no picture."""

    capabilities: ClassVar[tuple[str, ...]] = ("whatever the day's camera gives",)
    Options = NoOptions

    def __init__(self, options: NoOptions) -> None:
        self._device, self._network = build_pose({"driver": "device"}), build_pose({"driver": "mediapipe"})

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("day", "BlazePose full, or the camera's own joints", 0.0)

    def open(self) -> None:
        if _Set.exercise == FILMED:
            self._network.open()

    def close(self) -> None:
        self._network.close()

    def estimate(self, frame: Frame) -> Body | Absent:
        return (self._device if frame.color is None else self._network).estimate(frame)
