"""What a Kinect delivers, live or recorded, and the one way from it to a `Frame`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hal.camera.depth_mapping import DepthMapper
from hal.camera.gravity import UpTracker
from hal.camera.jpeg import decode_jpeg
from hal.camera.kinect_calibration import KinectCalibration
from hal.types import Frame, MotionSample

_log = logging.getLogger(__name__)

_MOST_ACCELERATION = 400.0
_MOST_TURN = 100.0


@dataclass(frozen=True, slots=True)
class KinectImu:
    """One sample of the built-in sensor: device time in ns, m/s^2 and rad/s, each in the sensor's own axes."""

    acceleration_stamp_ns: int
    acceleration: tuple[float, float, float]
    turn_stamp_ns: int
    turn: tuple[float, float, float]

    @classmethod
    def from_pyk4a(cls, raw: Mapping[str, Any]) -> KinectImu:
        return cls(raw["acc_timestamp"] * 1000, raw["acc_sample"], raw["gyro_timestamp"] * 1000, raw["gyro_sample"])

    @property
    def plausible(self) -> bool:
        """Whether the sensor could have measured it (false for a damaged record; not a number is not plausible)."""
        return all(abs(value) < _MOST_ACCELERATION for value in self.acceleration) and all(
            abs(value) < _MOST_TURN for value in self.turn
        )


@dataclass(frozen=True, slots=True)
class KinectCapture:
    """What belongs to one exposure. stamp_ns: device time of the colour picture, as JPEG. depth: its own pixels, mm."""

    stamp_ns: int
    color: bytes
    depth: NDArray[np.uint16] | None
    imu: tuple[KinectImu, ...] = ()


class FrameMaker:
    """Decodes colour, maps depth onto it, finds up and counts; made once for a calibration and a frame rate.

    A Kinect numbers no frames: the index counts nominal periods of its clock, so that a lost frame leaves a gap.
    """

    def __init__(self, calibration: KinectCalibration, rate_hz: float) -> None:
        self._calibration = calibration
        self._rate_hz = rate_hz
        self._mapper = DepthMapper(calibration)
        self._up = UpTracker()
        self._index, self._stamp_ns = -1, -1
        self._damaged = 0
        self.lost = 0
        """Nominal periods without a frame between two that came."""

    def frame(self, capture: KinectCapture, arrival_ns: int) -> Frame | None:
        """The frame, or None where its picture is damaged or its stamp steps back; it then counts as lost."""
        motion = tuple(self._turned(sample) for sample in capture.imu if sample.plausible)
        up = self._up.update(motion)
        lens = self._calibration.color
        color = decode_jpeg(capture.color, lens.width, lens.height)
        self._say(color is None)
        if color is None or capture.stamp_ns <= self._stamp_ns:
            return None
        periods = round((capture.stamp_ns - self._stamp_ns) * self._rate_hz / 1e9) if self._index >= 0 else 1
        self.lost += max(0, periods - 1)
        self._index, self._stamp_ns = self._index + max(1, periods), capture.stamp_ns
        depth = None if capture.depth is None else self._mapper.map(capture.depth)
        return Frame(self._index, capture.stamp_ns, arrival_ns, color, depth, lens=lens, up=up, motion=motion)

    def _say(self, damaged: bool) -> None:
        """Damaged pictures in the log: once where they begin, and how many they were."""
        if damaged and not self._damaged:
            _log.warning("Kinect %s: a damaged picture is left out; is its cable sound?", self._calibration.serial)
        elif self._damaged and not damaged:
            _log.warning("Kinect %s: whole pictures again, after %d damaged", self._calibration.serial, self._damaged)
        self._damaged = self._damaged + 1 if damaged else 0

    def _turned(self, sample: KinectImu) -> MotionSample:
        return MotionSample(
            sample.acceleration_stamp_ns,
            self._calibration.accelerometer @ sample.acceleration,
            sample.turn_stamp_ns,
            self._calibration.gyroscope @ sample.turn,
        )
