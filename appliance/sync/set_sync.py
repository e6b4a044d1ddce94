"""One set's devices on the host's clock: by arrival times while it is recorded, by motion as well when it is over."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.fuse import Fused, fuse
from appliance.fusion.orientation import track_of
from appliance.skeleton.standard import Recording
from appliance.sync.clocks import DeviceClock, Line, Placed, in_order
from appliance.sync.inertial import InertialRecording
from appliance.sync.refine import covered, refine
from appliance.sync.same_motion import FAR_JOINT
from hal.types import ImuSample

CAMERA = "camera"

LEAD_S = 1.0
"""Samples that came so long before the set began belong to it: the frame that began it was taken before it came (ours).
"""


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


@dataclass(frozen=True, slots=True)
class _Felt:
    """One sensor's samples in order of time. times: (n,) s, host clock; (n, 3), (n, 3), (n, 4), NaN where not given."""

    times: NDArray[np.float64]
    acceleration: NDArray[np.float64]
    angular_velocity: NDArray[np.float64]
    orientation: NDArray[np.float64]


class _Samples:
    """Of one sensor, as numbers: a sample's objects would take three times as much."""

    def __init__(self) -> None:
        self._stamps_ns, self._signals = array("q"), array("d")
        self._lines: list[Line] = []

    def add(self, placed: Placed, sample: ImuSample) -> None:
        self._stamps_ns.append(placed.stamp_ns)
        self._lines.append(placed.line)
        self._signals.extend(sample.acceleration)
        self._signals.extend(sample.angular_velocity)
        self._signals.extend(_UNKNOWN if sample.orientation is None else sample.orientation)

    def settled(self) -> _Felt:
        """A stamp that came twice counts once."""
        placed = [Placed(stamp_ns, line) for stamp_ns, line in zip(self._stamps_ns, self._lines, strict=True)]
        times, chosen = in_order(placed)
        signals = np.array(self._signals).reshape(-1, 10)[chosen]
        return _Felt(times, signals[:, :3], signals[:, 3:6], signals[:, 6:])


_UNKNOWN = (math.nan,) * 4


class SetSync:
    """Clocks of all devices, and from just before `begin` on what the sensors measured; as long as a set at most.

    A `recording` given to it has times in seconds of the host's clock, as `frame` told them.
    """

    def __init__(self) -> None:
        self._cameras: dict[str, DeviceClock] = {}
        self._sensors: dict[str, DeviceClock] = {}
        self._samples: dict[str, _Samples] = {}
        self._lead: deque[tuple[Placed, ImuSample]] = deque()
        self._begun = False
        self._worn = False

    def begin(self) -> None:
        """From now on what comes belongs to the set."""
        self._begun = True
        for placed, sample in self._lead:
            self._keep(placed, sample)
        self._lead.clear()

    def frame(self, stamp_ns: int, arrival_ns: int, camera: str = CAMERA) -> int:
        """When a frame of that camera was, host clock."""
        return _updated(self._cameras, camera, stamp_ns, arrival_ns).to_host_ns(stamp_ns)

    def samples(self, samples: Sequence[ImuSample]) -> None:
        self._worn = self._worn or bool(samples)
        for sample in samples:
            clock = _updated(self._sensors, sample.segment, sample.stamp_ns, sample.arrival_ns)
            placed = clock.placed(sample.stamp_ns)
            if self._begun:
                self._keep(placed, sample)
                continue
            self._lead.append((placed, sample))
            while sample.arrival_ns - self._lead[0][1].arrival_ns > LEAD_S * 1e9:
                self._lead.popleft()

    def lose_sensors(self) -> None:
        """The sensors are gone: the set goes on without them."""
        self._sensors.clear()
        self._samples.clear()
        self._lead.clear()

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
        tracks = {}
        for segment, samples in self._samples.items():
            felt = samples.settled()
            times = felt.times + (delay_s or 0.0)
            track = track_of(times, felt.acceleration, felt.angular_velocity, felt.orientation)
            if track is not None:
                tracks[segment] = track
        return fuse(recording, tracks, known)

    def _clocks_ms(self) -> float | None:
        """The worst clock's own estimate; None while one cannot tell."""
        worst = max(clock.error_ms for clock in (*self._cameras.values(), *self._sensors.values()))
        return worst if math.isfinite(worst) else None

    def _recordings(self) -> dict[str, InertialRecording]:
        """By the segment worn on."""
        settled = ((segment, samples.settled()) for segment, samples in self._samples.items())
        return {
            segment: InertialRecording(felt.times, felt.angular_velocity, felt.acceleration)
            for segment, felt in settled
            if len(felt.times) > 1
        }

    def _keep(self, placed: Placed, sample: ImuSample) -> None:
        self._samples.setdefault(sample.segment, _Samples()).add(placed, sample)


def _updated(clocks: dict[str, DeviceClock], device: str, stamp_ns: int, arrival_ns: int) -> DeviceClock:
    clock = clocks.setdefault(device, DeviceClock())
    clock.update(stamp_ns, arrival_ns)
    return clock
