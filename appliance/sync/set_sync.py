"""One set's devices on the host's clock: by arrival times while it is recorded, by motion as well when it is over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.fuse import Fused, fuse
from appliance.fusion.orientation import sensor_tracks
from appliance.skeleton.standard import Recording
from appliance.sync.clocks import DeviceClock, Placed, settled_ns
from appliance.sync.inertial import InertialRecording
from appliance.sync.refine import covered, refine
from appliance.sync.same_motion import FAR_JOINT
from hal.types import ImuSample

CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class SyncQuality:
    """error_ms: estimated error between camera and sensors; where the motion did not tell, and between two cameras
    without sensors, without the constant delays that arrival times cannot see. None for a camera alone, which is in
    step with itself.

    kept: share of the camera's frames at whose instant the sensors' motion is known, of the sensor with the least; 0
    where none is worn any more, None where none ever was.
    delay_s: by how much the camera's times are later than the sensors', by the motion; None where it did not tell.
    """

    error_ms: float | None = None
    kept: float | None = None
    delay_s: float | None = None


class SetSync:
    """Clocks of all devices, and from `begin` on what the sensors measured; as long as a set at most.

    A `recording` given to it has times in seconds of the host's clock, as `frame` told them.
    """

    def __init__(self) -> None:
        self._cameras: dict[str, DeviceClock] = {}
        self._sensors: dict[str, DeviceClock] = {}
        self._samples: dict[str, list[tuple[Placed, ImuSample]]] = {}
        self._begun = False
        self._worn = False

    def begin(self) -> None:
        """From now on what comes belongs to the set."""
        self._begun = True

    def frame(self, stamp_ns: int, arrival_ns: int, camera: str = CAMERA) -> int:
        """When a frame of that camera was, host clock."""
        return _updated(self._cameras, camera, stamp_ns, arrival_ns).to_host_ns(stamp_ns)

    def samples(self, samples: Sequence[ImuSample]) -> None:
        self._worn = self._worn or bool(samples)
        for sample in samples:
            clock = _updated(self._sensors, sample.segment, sample.stamp_ns, sample.arrival_ns)
            if self._begun:
                self._samples.setdefault(sample.segment, []).append((clock.placed(sample.stamp_ns), sample))

    def lose_sensors(self) -> None:
        """The sensors are gone: the set goes on without them."""
        self._sensors.clear()
        self._samples.clear()

    def quality(self, recording: Recording) -> SyncQuality:
        """What a result says of camera and sensors."""
        if not self._worn:
            return SyncQuality(self._clocks_ms() if len(self._cameras) > 1 else None)
        worn = self._recordings()
        if not worn or not len(recording):
            return SyncQuality(kept=0.0)
        kept = min(covered(recording, inertial) for inertial in worn.values())
        by_joint = {FAR_JOINT[name]: inertial for name, inertial in worn.items() if name in FAR_JOINT}
        found = refine(recording, by_joint, find_skew=False)
        if found.offset_s is not None:
            return SyncQuality(found.residual_ms, kept, found.offset_s)
        return SyncQuality(self._clocks_ms(), kept)

    def fused(
        self, recording: Recording, delay_s: float | None, known: Mapping[str, NDArray[np.float64]] | None = None
    ) -> Fused:
        """The recording with joints that the camera did not see well from the sensors; delay_s as in `SyncQuality`.

        known: `Fused.bones` of the same person's sets before, with the same sensors.
        """
        rows = [row for segment in self._samples for row in self._settled(segment)]
        tracks = sensor_tracks((time_s + (delay_s or 0.0), sample) for time_s, sample in rows)
        return fuse(recording, tracks, known)

    def _clocks_ms(self) -> float | None:
        """The worst clock's own estimate; None while one cannot tell."""
        worst = max(clock.error_ms for clock in (*self._cameras.values(), *self._sensors.values()))
        return worst if math.isfinite(worst) else None

    def _recordings(self) -> dict[str, InertialRecording]:
        """By the segment worn on."""
        worn = {}
        for segment in self._samples:
            rows = self._settled(segment)
            if len(rows) > 1:
                worn[segment] = InertialRecording(
                    np.array([time_s for time_s, _ in rows]),
                    np.array([sample.angular_velocity for _, sample in rows]),
                    np.array([sample.acceleration for _, sample in rows]),
                )
        return worn

    def _settled(self, segment: str) -> list[tuple[float, ImuSample]]:
        """A sensor's samples in order of time, s, host clock; a stamp that came twice counts once."""
        rows = self._samples[segment]
        first = {(placed.line.epoch, placed.stamp_ns): index for index, (placed, _) in reversed([*enumerate(rows)])}
        once = [rows[index] for index in sorted(first.values())]
        times = settled_ns([placed for placed, _ in once]) / 1e9
        return [(float(times[index]), once[index][1]) for index in np.argsort(times, kind="stable").tolist()]


def _updated(clocks: dict[str, DeviceClock], device: str, stamp_ns: int, arrival_ns: int) -> DeviceClock:
    clock = clocks.setdefault(device, DeviceClock())
    clock.update(stamp_ns, arrival_ns)
    return clock
