"""Lag and skew at which rigid sensors explain best what the camera saw: maximum likelihood by Gauss-Newton (ours).

All sensors share lag and skew; the constants of each are eliminated, so that each counts by what it says of the lag.
How noisy each of the camera's coordinates is, for how long its errors last, and how much larger the slow ones are, is
read off what is left unexplained; errors have Student's t distribution, so that a tracker's jump moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.sync.inertial import Floats
from appliance.sync.rigid_sensor import CONSTANTS, SPREAD, USUAL, RigidSensor
from appliance.sync.same_motion import STEP_S

SKEW_SPREAD = 0.02
"""Of the rate of a sensor whose rate is not what it says (ours)."""
FREEDOM = 4.0
LEAST_NOISE_M = 1e-4
CLOSE_S = 5e-4
"""A step this short is the last."""
_ROUNDS = 10
_MOST_STEP = np.array([0.06, 0.02])
_CORRELATED_S = 1.0


@dataclass(frozen=True, slots=True)
class RigidFit:
    """camera time = middle_s + lag_s + (1 + skew) (sensor time - middle_s).

    covariance: (2, 2) of lag (s) and skew; zeros for a skew that was not looked for.
    log_likelihood: but for what is the same at all lags.
    """

    middle_s: float
    lag_s: float
    skew: float
    covariance: Floats
    log_likelihood: float

    @property
    def offset_s(self) -> float:
        """camera time = (1 + skew) sensor time + offset_s."""
        return self.lag_s - self.skew * self.middle_s


def fit_rigid(
    sensors: Sequence[RigidSensor], middle_s: float, lag_s: float, skew: float, *, find_skew: bool
) -> RigidFit:
    """From a lag and skew that are near already; the sensors' constants are left at what was found."""
    for sensor in sensors:
        sensor.begin(lag_s, skew)
    noise = [np.full(6, np.inf) for _ in sensors]
    for left in reversed(range(_ROUNDS)):
        bend, slope, likelihood = np.diag([1e-9, SKEW_SPREAD**-2]), np.array([0.0, -skew / SKEW_SPREAD**2]), 0.0
        solved = []
        for index, sensor in enumerate(sensors):
            part = _normal_equations(sensor, lag_s, skew, noise[index])
            noise[index] = part.noise_m
            solved.append(part.solved)
            bend, slope, likelihood = bend + part.bend, slope + part.slope, likelihood + part.log_likelihood
        step = np.linalg.solve(bend, slope) if find_skew else np.array([slope[0] / bend[0, 0], 0.0])
        step = np.clip(step, -_MOST_STEP, _MOST_STEP)
        if not left or (left < _ROUNDS - 2 and abs(step[0]) < CLOSE_S and abs(step[1]) < CLOSE_S):
            break
        lag_s, skew = lag_s + float(step[0]), skew + float(step[1])
        for sensor, by in zip(sensors, solved, strict=True):
            sensor.constants = sensor.constants + by[:, 2] - by[:, :2] @ step
    covariance = np.linalg.inv(bend) if find_skew else np.diag([1.0 / bend[0, 0], 0.0])
    return RigidFit(middle_s, lag_s, skew, covariance, likelihood)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one sensor says of lag and skew, its constants eliminated. solved: (9, 3), how these follow from both."""

    bend: Floats
    slope: Floats
    solved: Floats
    noise_m: Floats
    log_likelihood: float


def _normal_equations(sensor: RigidSensor, lag_s: float, skew: float, noise_m: Floats) -> _Part:
    seen = sensor.seen(lag_s, skew)
    by_lag = -seen.by_time / (1.0 + skew)
    shared = np.stack([by_lag, by_lag * seen.since_s[:, None]], axis=2)
    left = sensor.shown - seen.values
    every = np.concatenate([left[..., None], seen.by_constant, shared], axis=2)
    slow, amounts = sensor.slow_part(seen.weight, every)
    fast = left - slow[..., 0]
    weight = seen.weight[:, None] * (FREEDOM + 1.0) / (FREEDOM + (fast / noise_m) ** 2)
    noise_m = np.sqrt((weight * fast**2).sum(axis=0) / max(float(seen.weight.sum()), 1e-9)) + LEAST_NOISE_M
    independent = _independent_share(fast * np.sqrt(seen.weight)[:, None])
    # a slow curve that is no larger than the fast noise makes it is as good a witness as any other
    slow_noise_m = noise_m / np.sqrt(independent)
    believed = np.minimum(1.0, slow_noise_m / (np.sqrt((amounts[..., 0] ** 2).mean(axis=0)) + 1e-9))
    every = every - (1.0 - believed)[:, None] * slow
    weight = weight / noise_m**2 * independent
    every = (every * np.sqrt(weight)[..., None]).reshape(-1, every.shape[2])
    products = every.T @ every
    own, both = slice(1, 1 + CONSTANTS), slice(1 + CONSTANTS, None)
    within = products[own, own] + np.diag(SPREAD**-2.0)
    within += 1e-6 * np.diag(np.diag(within))
    across = products[own, both]
    wanted = products[own, 0] + (USUAL - sensor.constants) / SPREAD**2
    solved = np.linalg.solve(within, np.column_stack([across, wanted]))
    return _Part(
        bend=products[both, both] - across.T @ solved[:, :2],
        slope=products[both, 0] - across.T @ solved[:, 2],
        solved=solved,
        noise_m=noise_m,
        log_likelihood=float(
            (len(amounts) * np.log(believed) - seen.weight.sum() * independent * np.log(noise_m)).sum()
        ),
    )


def _independent_share(left: Floats) -> Floats:
    """(6,): by how much fewer independent values there are than values, by their own correlation over time."""
    power = np.abs(np.fft.rfft(left, 2 * len(left), axis=0)) ** 2
    together = np.fft.irfft(power, axis=0)[: round(_CORRELATED_S / STEP_S)]
    correlation = together[1:] / np.maximum(together[:1], 1e-12)
    return np.asarray(1.0 / (1.0 + 2.0 * (correlation**2).sum(axis=0)))
