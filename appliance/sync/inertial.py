"""What one body-worn sensor measured, and the same in axes that do not turn with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import detrend

Floats = NDArray[np.float64]

LEVELLING_S = 1.5
"""Gaussian over the acceleration, in axes that do not turn: what moves a limb averages out, what a gyro drifts in this
time does not matter (ours)."""
GRAVITY = (6.0, 14.0)
"""Median size of the acceleration, m/s^2, between which gravity must be in it."""
STILLEST = 20
"""Per cent of the time in which a limb is taken to rest, as far as it ever does."""


@dataclass(frozen=True, slots=True)
class InertialRecording:
    """One sensor's raw signals.

    times: (samples,) float64, seconds, strictly increasing, any origin. angular_velocity: (samples, 3) float64, rad/s;
    acceleration: (samples, 3) float64, m/s^2, gravity included; both in the sensor's axes.
    """

    times: Floats
    angular_velocity: Floats
    acceleration: Floats

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True)
class Carried:
    """One sensor's motion in axes that do not turn, every step_s seconds.

    turning: (n, 3) rad/s; in axes of unknown heading, which drifts with the gyro, and level where `up` is known.
    level: of what gravity tells; None where there is none in the acceleration.
    """

    turning: Floats
    level: Level | None


@dataclass(frozen=True, slots=True)
class Level:
    """up: (n, 3) unit vectors, where "up" is in the sensor's own axes. rising: (n, 1) m/s, but for a slow drift.

    axes: (n, 3, 3), rotations from the sensor's axes to level ones with y up, as `Carried.turning`.
    felt: (n, 3) m/s^2 in the level axes, gravity included.
    """

    up: Floats
    rising: Floats
    axes: Floats
    felt: Floats


def carried(angular_velocity: Floats, acceleration: Floats, step_s: float) -> Carried:
    """angular_velocity, acceleration: (n, 3), sensor axes, n > 1 instants `step_s` apart.

    The gyro carries the axes of the first instant along; in those, gravity stands still but for the gyro's drift, and
    what the accelerometer feels is averaged there, forwards and backwards, so that nothing lags (ours).
    """
    turning = angular_velocity - _bias(angular_velocity, step_s)
    turned = _cumulative(_small_turns((turning[1:] + turning[:-1]) / 2.0 * step_s))
    if not GRAVITY[0] < float(np.median(np.linalg.norm(acceleration, axis=1))) < GRAVITY[1]:
        return Carried(_rotated(turned, turning), None)
    felt = _rotated(turned, acceleration)
    up = gaussian_filter1d(felt, LEVELLING_S / step_s, axis=0, mode="nearest")
    up /= np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)
    upward = (felt * up).sum(axis=1)
    upright = _onto_vertical(up)
    level = Level(
        up=_rotated(turned * _CONJUGATE, up),
        rising=detrend(integral(upward - upward.mean(), step_s))[:, None],
        axes=_matrices(_multiplied(upright, turned)),
        felt=_rotated(upright, felt),
    )
    return Carried(_rotated(upright, _rotated(turned, turning)), level)


def integral(values: Floats, step_s: float) -> Floats:
    """(n, ...) over time, but for a constant, by trapezoids: a plain sum would be half a step ahead."""
    return np.asarray((np.cumsum(values, axis=0) - values / 2.0) * step_s)


_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])


def _bias(angular_velocity: Floats, step_s: float) -> Floats:
    """(3,) what the gyro shows in the stillest part of the time, about its median."""
    middle = np.median(angular_velocity, axis=0)
    speed = gaussian_filter1d(np.linalg.norm(angular_velocity - middle, axis=1), 0.2 / step_s, mode="nearest")
    return np.asarray(np.median(angular_velocity[speed <= np.percentile(speed, STILLEST)], axis=0))


def _onto_vertical(up: Floats) -> Floats:
    """(n, 4): the shortest turn of each direction onto the y axis; undefined where it points straight down."""
    half = np.stack([1.0 + up[:, 1], -up[:, 2], np.zeros(len(up)), up[:, 0]], axis=1)
    return np.asarray(half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-9))


def _small_turns(vectors: Floats) -> Floats:
    """Unit quaternions (n, 4), w, x, y, z, of rotation vectors (n, 3), radians."""
    angle = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.hstack([np.cos(angle / 2.0), np.sinc(angle / (2.0 * np.pi)) * vectors / 2.0])


def _cumulative(turns: Floats) -> Floats:
    """(n + 1, 4): the identity, the first turn, the first two in a row, and so on; in log2(n) vectorised passes."""
    product = np.vstack([[1.0, 0.0, 0.0, 0.0], turns])
    reach = 1
    while reach < len(product):
        product[reach:] = _multiplied(product[:-reach], product[reach:])
        reach *= 2
    return np.asarray(product / np.linalg.norm(product, axis=1, keepdims=True))


def _multiplied(first: Floats, second: Floats) -> Floats:
    w, x, y, z = first.T
    a, b, c, d = second.T
    return np.stack(
        [
            w * a - x * b - y * c - z * d,
            w * b + x * a + y * d - z * c,
            w * c - x * d + y * a + z * b,
            w * d + x * c - y * b + z * a,
        ],
        axis=1,
    )


def _rotated(quaternion: Floats, vectors: Floats) -> Floats:
    axis = quaternion[:, 1:]
    twice = 2.0 * np.cross(axis, vectors)
    return np.asarray(vectors + quaternion[:, :1] * twice + np.cross(axis, twice))


def _matrices(quaternion: Floats) -> Floats:
    """(n, 3, 3) of unit quaternions (n, 4)."""
    return np.stack([_rotated(quaternion, axis[None]) for axis in np.eye(3)], axis=2)
