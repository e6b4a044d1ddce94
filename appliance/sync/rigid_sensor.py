"""A sensor fixed to a rigid segment: what a camera should then see of the segment's two joints.

In level axes the bone is R b, and its middle p + R c, with R and p the sensor's orientation and position, b and c
constant in the sensor's axes; the camera's axes are turned about the vertical against them, by a heading that drifts as
the gyro does. Gravity gives R but for that heading, the acceleration gives p but for a slow drift. Seven constants of
the sensor and two of the heading explain all that both joints do, so that little but the lag can make it fit (ours).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from appliance.skeleton.standard import Recording
from appliance.sync.inertial import Floats, InertialRecording, Level, integral
from appliance.sync.same_motion import POINTING_S, STEP_S, Series, bone_on_grid, carried_on_grid, smooth, steady

CONSTANTS = 9
"""Heading (rad) and its drift (rad/s), b and c (m), and the scale of p against the camera's metre."""
USUAL = np.array([0.0] * 8 + [1.0])
SPREAD = np.array([np.inf, 0.01, *[0.5] * 3, *[0.4] * 3, 0.15])
"""Of the constants, before anything was measured: limbs, mountings, gyros, body models (ours)."""
SLOW_S = 2.0
"""What takes longer may be a tracker's or a gyro's slow error as well; how much so, the fit finds out."""
_MOST_SLOW = 40
_HEADINGS = np.arange(12) * np.pi / 6.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the camera should have seen at n instants, for some lag, and how that changes.

    values: (n, 6) m, bone and middle; by_constant: (n, 6, 9); by_time: (n, 6), m/s of the sensor's time.
    since_s: (n,) sensor time since the middle; weight: (n,).
    """

    values: Floats
    by_constant: Floats
    by_time: Floats
    since_s: Floats
    weight: Floats


class RigidSensor:
    """One sensor and the two joints of its segment; constants: (9,) as far as they are known."""

    def __init__(self, recording: Recording, joint: str, raw: Series, level: Level, middle_s: float) -> None:
        bone, middle = bone_on_grid(recording, joint)
        self._weight, self._raw, self._middle_s = bone.weight, raw, middle_s
        self._times = bone.start_s + np.arange(len(bone.values)) * STEP_S
        self.shown = np.hstack([_once(bone.values), _thrice(middle.values)])
        axes = level.axes.reshape(-1, 9)
        velocity = steady(integral(steady(level.felt), STEP_S))
        place = smooth(steady(integral(velocity, STEP_S)), POINTING_S)
        signals = np.hstack([_once(axes), _thrice(axes), place])
        self._signals = np.hstack([signals, np.gradient(signals, STEP_S, axis=0)])
        self._slow = _slow(len(self._times))
        self.constants = USUAL.copy()

    def seen(self, lag_s: float, skew: float) -> Seen:
        """camera time = middle_s + lag_s + (1 + skew) (sensor time - middle_s)."""
        since_s = (self._times - self._middle_s - lag_s) / (1.0 + skew)
        signals, weight = self._at(self._middle_s + since_s)
        now, change = signals[:, :21], signals[:, 21:]
        angle = self.constants[0] + self.constants[1] * since_s
        bone, middle = now[:, :9].reshape(-1, 3, 3), now[:, 9:18].reshape(-1, 3, 3)
        level = _level_values(now, self.constants)
        by_constant = np.zeros((len(now), 6, CONSTANTS))
        by_constant[:, :, 0] = np.hstack([_turned(part, angle, order=1) for part in level])
        by_constant[:, :, 1] = by_constant[:, :, 0] * since_s[:, None]
        for axis in range(3):
            by_constant[:, :3, 2 + axis] = _turned(bone[:, :, axis], angle)
            by_constant[:, 3:, 5 + axis] = _turned(middle[:, :, axis], angle)
        by_constant[:, 3:, 8] = _turned(now[:, 18:], angle)
        by_time = np.hstack([_turned(part, angle) for part in _level_values(change, self.constants)])
        return Seen(np.hstack([_turned(part, angle) for part in level]), by_constant, by_time, since_s, weight)

    def slow_part(self, weight: Floats, values: Floats) -> tuple[Floats, Floats]:
        """What the slow curves explain of values (n, ...) where there is weight, and how much of each curve that is:
        (k, ...), of curves of length 1."""
        weighted = (self._slow * weight[:, None]).T
        products = weighted @ self._slow
        triangle = np.linalg.cholesky(products + (1e-8 * np.trace(products) + 1e-12) * np.eye(len(products)))
        amounts = np.linalg.solve(triangle, weighted @ values.reshape(len(values), -1))
        part = self._slow @ np.linalg.solve(triangle.T, amounts)
        return part.reshape(values.shape), amounts.reshape(-1, *values.shape[1:])

    def begin(self, lag_s: float, skew: float) -> None:
        """Constants from the best of several headings; for a given heading all others are linear."""
        self.constants = USUAL.copy()
        seen = self.seen(lag_s, skew)
        every = np.concatenate([self.shown[..., None], seen.values[..., None], seen.by_constant[:, :, 2:8]], axis=2)
        every = every - self.slow_part(seen.weight, every)[0]
        shown, values, slopes = every[..., 0], every[..., 1], every[..., 2:]
        size = np.sqrt((seen.weight[:, None] * shown**2).sum(axis=0) / max(float(seen.weight.sum()), 1e-9))
        size = np.repeat([np.linalg.norm(size[:3]), np.linalg.norm(size[3:])], 3) + 1e-6
        scale = np.sqrt(seen.weight)[:, None] / size
        rows = (slopes * scale[..., None]).reshape(-1, 6)
        inverse = np.linalg.inv(rows.T @ rows + 1e-3 * np.eye(6))
        best = np.inf
        for heading in _HEADINGS:
            back = np.full(len(shown), -heading)
            turned = np.hstack([_turned(shown[:, :3], back), _turned(shown[:, 3:], back)])
            wanted = ((turned - values) * scale).reshape(-1)
            found = inverse @ (rows.T @ wanted)
            cost = float(((wanted - rows @ found) ** 2).sum())
            if cost < best:
                best, self.constants = cost, np.concatenate([[heading, 0.0], found, USUAL[8:]])

    def _at(self, times: Floats) -> tuple[Floats, Floats]:
        place = (times - self._raw.start_s) / STEP_S
        before = np.floor(place).astype(np.intp)
        inside = (before >= 0) & (before < len(self._signals) - 1)
        before = np.clip(before, 0, len(self._signals) - 2)
        share = (place - before)[:, None]
        values = self._signals[before] * (1.0 - share) + self._signals[before + 1] * share
        known = self._raw.weight[before] * (1.0 - share[:, 0]) + self._raw.weight[before + 1] * share[:, 0]
        return values, np.where(inside, known * self._weight, 0.0)


def rigid_sensor(recording: Recording, joint: str, inertial: InertialRecording, middle_s: float) -> RigidSensor | None:
    """None where the acceleration has no gravity in it, without which nothing tells where "up" is."""
    raw, carried = carried_on_grid(inertial)
    return None if carried.level is None else RigidSensor(recording, joint, raw, carried.level, middle_s)


def _level_values(signals: Floats, constants: Floats) -> tuple[Floats, Floats]:
    """(n, 3) bone and (n, 3) middle in the sensor's level axes."""
    bone, middle = signals[:, :9].reshape(-1, 3, 3), signals[:, 9:18].reshape(-1, 3, 3)
    return bone @ constants[2:5], constants[8] * signals[:, 18:21] + middle @ constants[5:8]


def _turned(vectors: Floats, angle: Floats, order: int = 0) -> Floats:
    """(n, 3) about the vertical by `angle`; or, with order 1, how that changes with the angle."""
    cosine, sine = (np.cos(angle), np.sin(angle)) if order == 0 else (-np.sin(angle), np.cos(angle))
    x, y, z = vectors.T
    return np.stack([cosine * x + sine * z, y if order == 0 else np.zeros_like(y), cosine * z - sine * x], axis=1)


def _once(values: Floats) -> Floats:
    return steady(smooth(values, POINTING_S))


def _thrice(values: Floats) -> Floats:
    """As what was integrated twice, and steadied before, between and after."""
    return steady(steady(_once(values)))


def _slow(count: int) -> Floats:
    """(count, k): a cubic, and half waves down to `SLOW_S`; for a long recording the steadying does the rest."""
    along = (np.arange(count) + 0.5) / count
    waves = min(int(2.0 * count * STEP_S / SLOW_S), _MOST_SLOW)
    cubic = [along**power for power in range(4)]
    return np.stack([*cubic, *(np.cos(np.pi * wave * along) for wave in range(1, waves + 1))], axis=1)
