"""What a camera and a sensor on the same body segment both measure, brought to one form so that it can be compared.

Three things (ours), in each of which the camera's coordinates are linear functions of the sensor's, however the sensor
is mounted, so that noise averages out instead of adding up as it does in speeds:
- how the segment turns: the sensor's angular velocity carried into axes that stand still; no gravity needed;
- which way the segment points, against which way "up" is in the sensor; all but turns about the vertical, and without
  differentiating the camera's noise;
- how it rises, against the integrated vertical acceleration, for what lifts a segment without turning it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from appliance.skeleton.gaps import MAX_GAP_S
from appliance.skeleton.standard import BONES, INDEX, Recording
from appliance.sync.inertial import Carried, Floats, InertialRecording, carried

STEP_S = 0.02
"""Of the grid both are brought to: a fifth of the quickest thing that is compared."""
POINTING_S, TURNING_S = 0.03, 0.12
"""Gaussians; a derivative needs the longer one. On camera and sensor alike, so that neither is delayed."""
DRIFT_S = 1.5
"""Slower than this is posture, drift of a gyro, and the body turning on the spot: left out."""
SOFT_END_S = 0.1
"""Gaussian by which values count less beside gaps and ends."""

NEAR_JOINT = {far: near for near, far in BONES}
"""The segment of each joint but the pelvis: from the joint next to it on the way to the pelvis."""
FAR_JOINT = {
    "head": "head", "upper_back": "neck",
    "left_shoulder_blade": "left_shoulder", "right_shoulder_blade": "right_shoulder",
    "left_arm": "left_elbow", "right_arm": "right_elbow", "left_forearm": "left_wrist", "right_forearm": "right_wrist",
    "left_thigh": "left_knee", "right_thigh": "right_knee", "left_calf": "left_ankle", "right_calf": "right_ankle",
}  # fmt: skip
"""The segment, by its far joint, that a sensor worn there turns with; hands, feet and lower back have none of their own
in the standard skeleton."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values (n, k) float64 every `STEP_S` from start_s on. weight: (n,) 0..1, 0 where made up over a gap; it rises
    gently beside gaps and ends, so that a lag at which one more value comes in is no better for that."""

    start_s: float
    values: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing that both measured: the camera's (n, k), which is linear in the sensor's (m, p) at the same instant.

    correlated_s: how long a value says the same as its neighbours.
    """

    camera: Series
    sensor: Series
    correlated_s: float


def likenesses(recording: Recording, joint: str, inertial: InertialRecording) -> list[Likeness]:
    """What camera and sensor both measured of the segment that ends at `joint`; each series at least two values long.

    Raises `KeyError` for the pelvis, where no segment ends.
    """
    bone, middle = bone_on_grid(recording, joint)
    direction = bone.values / max(float(np.median(np.linalg.norm(bone.values, axis=1))), 1e-9)
    pointing = smooth(direction, POINTING_S)
    turning = np.cross(smooth(direction, TURNING_S), smooth(direction, TURNING_S, order=1) / STEP_S)
    raw, sensor = carried_on_grid(inertial)
    frame_s = 1.0 / recording.rate_hz

    def alike(camera: Floats, own: Floats, width_s: float) -> Likeness:
        return Likeness(
            Series(bone.start_s, steady(camera), bone.weight),
            Series(raw.start_s, steady(own), raw.weight),
            max(2.0 * float(np.sqrt(np.pi)) * width_s, frame_s),
        )

    found = [alike(turning, smooth(sensor.turning, TURNING_S), TURNING_S)]
    if sensor.level is not None:
        found.append(alike(pointing, smooth(sensor.level.up, POINTING_S), POINTING_S))
        rising = smooth(middle.values[:, 1:2], TURNING_S, order=1) / STEP_S
        found.append(alike(rising, smooth(sensor.level.rising, TURNING_S), TURNING_S))
    return found


def liveliness(inertial: InertialRecording) -> tuple[float, float]:
    """How fast the sensor turned (rad/s), and rose or sank (m/s), in the liveliest tenth of its recording."""
    _, sensor = carried_on_grid(inertial)
    turned = np.linalg.norm(smooth(sensor.turning, TURNING_S), axis=1)
    rose = np.zeros(1) if sensor.level is None else np.abs(steady(smooth(sensor.level.rising, TURNING_S)))
    return float(np.percentile(turned, 90)), float(np.percentile(rose, 90))


def frames_of(recording: Recording, joint: str) -> NDArray[np.bool_]:
    """(frames,): where both ends of the segment were seen."""
    ends = recording.positions[:, [INDEX[joint], INDEX[NEAR_JOINT[joint]]]]
    return np.asarray(np.isfinite(ends).all(axis=(1, 2)))


def bone_on_grid(recording: Recording, joint: str) -> tuple[Series, Series]:
    """The way from the near to the far joint, and the middle between them, m; a jump of one frame is left out."""
    seen = frames_of(recording, joint)
    positions = median_filter(recording.positions[seen], (3, 1, 1), mode="nearest")
    near, far = positions[:, INDEX[NEAR_JOINT[joint]]], positions[:, INDEX[joint]]
    times = recording.times[seen]
    return on_grid(times, far - near), on_grid(times, (near + far) / 2.0)


def carried_on_grid(inertial: InertialRecording) -> tuple[Series, Carried]:
    raw = on_grid(inertial.times, np.hstack([inertial.angular_velocity, inertial.acceleration]))
    return raw, carried(raw.values[:, :3], raw.values[:, 3:], STEP_S)


def on_grid(times: Floats, values: Floats) -> Series:
    grid = times[0] + np.arange(int((times[-1] - times[0]) / STEP_S) + 1) * STEP_S
    columns = [np.interp(grid, times, values[:, column]) for column in range(values.shape[1])]
    after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    seen = times[after] - times[after - 1] <= MAX_GAP_S
    ends = gaussian_filter1d(seen.astype(np.float64), SOFT_END_S / STEP_S, mode="constant")
    return Series(float(times[0]), np.stack(columns, axis=1), np.where(seen, np.clip(2.0 * ends - 1.0, 0.0, 1.0), 0.0))


def smooth(values: Floats, width_s: float, order: int = 0) -> Floats:
    return np.asarray(gaussian_filter1d(values, width_s / STEP_S, axis=0, order=order, mode="nearest"))


def steady(values: Floats) -> Floats:
    """Without what changes slowly."""
    return values - smooth(values, DRIFT_S)
