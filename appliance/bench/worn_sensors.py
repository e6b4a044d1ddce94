"""Sensors as they are really worn, on the virtual patient: tilted, on soft tissue, with a bias, drifting in heading.

The estimator is told none of it. Which faults, how large, and how they come about is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from appliance.fusion.orientation import OrientationFilter, SensorTrack
from hal.types import SEGMENTS
from hal.virtual.patient import GRAVITY, VirtualPatient

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wear:
    """mounting_deg: how far each sensor is turned on its segment, about an axis of chance.

    sag_deg: how far the tissue under it turns as gravity turns round the segment; wobble_deg: how far it swings at
    2 to 4 Hz while the limb moves (at 1 rad/s). bias_dps, gyro_noise, acceleration_noise: of raw signals, deg/s, rad/s
    and m/s^2. heading_dps, heading_walk_deg: drift of the device's own orientation, steady and per root of a second.
    """

    mounting_deg: float = 15.0
    sag_deg: float = 4.0
    wobble_deg: float = 2.0
    bias_dps: float = 0.5
    gyro_noise: float = 0.005
    acceleration_noise: float = 0.05
    heading_dps: float = 0.3
    heading_walk_deg: float = 0.5
    rate_hz: float = 96.0


def worn_tracks(
    patient: VirtualPatient,
    duration_s: float,
    rng: np.random.Generator,
    wear: Wear | None = None,
    segments: Sequence[str] = SEGMENTS,
    *,
    raw: bool = True,
) -> dict[str, SensorTrack]:
    """The sensors' tracks from 0 to duration_s, 2 % of samples lost: by VQF from raw signals, or the devices' own."""
    wear = wear or Wear()
    times = np.arange(int(duration_s * wear.rate_hz)) / wear.rate_hz
    motion = patient.motion(times)
    tracks = {}
    for segment in segments:
        index = SEGMENTS.index(segment)
        segment_turns = Rotation.from_quat(np.roll(motion.orientation[:, index], -1, axis=1))
        felt = segment_turns.apply(motion.acceleration[:, index])
        turns = segment_turns * _soft_tissue(segment_turns, motion.angular_velocity[:, index], times, rng, wear)
        turns = turns * Rotation.from_rotvec(_direction(rng) * np.radians(wear.mounting_deg))
        kept = rng.random(len(times)) >= 0.02
        give = _raw if raw else _device
        orientation = give(turns, felt, times, kept, rng, wear)
        tracks[segment] = SensorTrack(times[kept], orientation)
    return tracks


def _direction(rng: np.random.Generator) -> Floats:
    vector = rng.standard_normal(3)
    return np.asarray(vector / np.linalg.norm(vector))


def _soft_tissue(
    turns: Rotation, angular_velocity: Floats, times: Floats, rng: np.random.Generator, wear: Wear
) -> Rotation:
    down = turns.inv().apply([0.0, -1.0, 0.0])
    sag = np.radians(wear.sag_deg) * down @ Rotation.random(random_state=int(rng.integers(1 << 31))).as_matrix()
    speed = np.minimum(np.linalg.norm(angular_velocity, axis=1), 3.0)
    swing = np.sin(2.0 * np.pi * rng.uniform(2.0, 4.0) * times + rng.uniform(0.0, 2.0 * np.pi))
    wobble = np.radians(wear.wobble_deg) * (speed * swing)[:, None] * _direction(rng)
    return Rotation.from_rotvec(sag + wobble)


def _raw(
    turns: Rotation, felt: Floats, times: Floats, kept: NDArray[np.bool_], rng: np.random.Generator, wear: Wear
) -> Floats:
    """Orientation by VQF from what gyroscope and accelerometer give."""
    step_s = 1.0 / wear.rate_hz
    rate = (turns[:-1].inv() * turns[1:]).as_rotvec() / step_s
    rate = np.vstack([rate[:1], rate]) + np.radians(wear.bias_dps) * rng.standard_normal(3)
    rate += wear.gyro_noise * rng.standard_normal(rate.shape)
    acceleration = turns.inv().apply(felt) + 0.005 * GRAVITY * rng.standard_normal(3)
    acceleration += wear.acceleration_noise * rng.standard_normal(acceleration.shape)
    return OrientationFilter(wear.rate_hz).update(times[kept], acceleration[kept], rate[kept])


def _device(
    turns: Rotation, felt: Floats, times: Floats, kept: NDArray[np.bool_], rng: np.random.Generator, wear: Wear
) -> Floats:
    """The device's own orientation, from a heading of its own that drifts."""
    walk = np.cumsum(rng.standard_normal(len(times))) * wear.heading_walk_deg / np.sqrt(wear.rate_hz)
    heading = rng.uniform(0.0, 360.0) + wear.heading_dps * rng.choice((-1.0, 1.0)) * times + walk
    tilted = Rotation.from_rotvec(np.radians(0.5) * rng.standard_normal((len(times), 3)))
    turned = Rotation.from_euler("y", heading[:, None], degrees=True) * turns * tilted
    return np.roll(turned.as_quat(), 1, axis=1)[kept]
