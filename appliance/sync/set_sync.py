"""One set's devices on the host's clock: by arrival times while it is recorded, by motion as well when it is over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from appliance.fusion.fuse import Fused, fuse
from appliance.fusion.orientation import sensor_tracks
from appliance.skeleton.standard import Recording
from appliance.sync.clocks import DeviceClock
from appliance.sync.inertial import InertialRecording
from appliance.sync.refine import covered, refine
from appliance.sync.same_motion import FAR_JOINT
from hal.types import ImuSample

CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class SyncQuality:
    """error_ms: estimated error between camera and sensors; where the motion did not tell, without the constant delays
    that arrival times cannot see. None for the camera alone, which is in step with itself.

    kept: share of the camera's frames at whose instant the sensors' motion is known, of the sensor with the least; 0
    where none is worn any more, None where none ever was.
    delay_s: by how much the camera's times are later than the sensors', by the motion; None where it did not tell.
    """

    error_ms: float | None = None
    kept: float | None = None
    delay_s: float | None = None


class SetSync:
    """Clocks of all devices, and from `begin` on what the sensors measured; as long as a set at most."""

    def __init__(self) -> None:
        self._clocks: dict[str, DeviceClock] = {}
        self._samples: dict[str, list[tuple[int, ImuSample]]] = {}
        self._frames_ns: list[int] = []
        self._begun = False
        self._worn = False

    def begin(self) -> None:
        """From now on what comes belongs to the set."""
        self._begun = True

    def frame(self, stamp_ns: int, arrival_ns: int) -> int:
        """When a frame of the camera was, host clock."""
        return self._place(CAMERA, stamp_ns, arrival_ns)

    def keep(self, host_ns: int) -> None:
        """A frame that `frame` gave the time of belongs to the recording."""
        self._frames_ns.append(host_ns)

    def samples(self, samples: Sequence[ImuSample]) -> None:
        self._worn = self._worn or bool(samples)
        for sample in samples:
            host_ns = self._place(sample.segment, sample.stamp_ns, sample.arrival_ns)
            if self._begun:
                self._samples.setdefault(sample.segment, []).append((host_ns, sample))

    def lose_sensors(self) -> None:
        """The sensors are gone: the set goes on without them."""
        self._clocks = {name: clock for name, clock in self._clocks.items() if name == CAMERA}
        self._samples.clear()

    def quality(self, recording: Recording) -> SyncQuality:
        """recording: of the frames that were kept, in their order."""
        if not self._worn:
            return SyncQuality()
        worn = self._recordings()
        seen = replace(recording, times=np.array(self._frames_ns, np.float64) / 1e9)
        if not worn or not len(seen):
            return SyncQuality(kept=0.0)
        kept = min(covered(seen, inertial) for inertial in worn.values())
        found = refine(
            seen, {FAR_JOINT[name]: inertial for name, inertial in worn.items() if name in FAR_JOINT}, find_skew=False
        )
        if found.offset_s is not None:
            return SyncQuality(found.residual_ms, kept, found.offset_s)
        worst = max(clock.error_ms for clock in self._clocks.values())
        return SyncQuality(worst if math.isfinite(worst) else None, kept)

    def fused(self, recording: Recording, delay_s: float | None) -> Fused:
        """The recording with joints that the camera did not see well from the sensors; delay_s as in `SyncQuality`.

        recording: of the frames that were kept, in their order.
        """
        placed = replace(recording, times=np.array(self._frames_ns, np.float64) / 1e9)
        rows = [row for rows in self._samples.values() for row in rows]
        tracks = sensor_tracks((host_ns / 1e9 + (delay_s or 0.0), sample) for host_ns, sample in rows)
        found = fuse(placed, tracks)
        return replace(found, recording=replace(found.recording, times=recording.times))

    def _place(self, device: str, stamp_ns: int, arrival_ns: int) -> int:
        clock = self._clocks.setdefault(device, DeviceClock())
        clock.update(stamp_ns, arrival_ns)
        return clock.to_host_ns(stamp_ns)

    def _recordings(self) -> dict[str, InertialRecording]:
        """By the segment worn on. A stamp that came twice, or out of order, counts once."""
        worn = {}
        for segment, rows in self._samples.items():
            times, first = np.unique(np.array([host_ns for host_ns, _ in rows], np.int64), return_index=True)
            if len(times) > 1:
                samples = [rows[index][1] for index in first.tolist()]
                worn[segment] = InertialRecording(
                    times / 1e9,
                    np.array([sample.angular_velocity for sample in samples]),
                    np.array([sample.acceleration for sample in samples]),
                )
        return worn
