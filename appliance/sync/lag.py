"""By which lag and which skew a sensor's series fit a camera's best, and how much better than any other.

The measure (ours) is the logarithm of the likelihood ratio of "the camera's values are a linear function of the
sensor's" against "they have nothing to do with each other": -n/2 log(1 - r^2) for each of the camera's coordinates,
with n the number of values that are not mere repetitions of their neighbours. It adds up over coordinates, over speed
and pointing, and over several sensors of one receiver; whatever is noisier counts less by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.sync.inertial import Floats
from appliance.sync.same_motion import STEP_S, Likeness

COARSE_LAG_S = 0.04
MOST_SKEW = 0.05
"""A sensor whose rate is not what its data sheet says has been up to a few per cent off; clocks are far better."""
LEAST_SHARE = 0.3
"""Of the camera's recording that the sensor's must cover."""
PEAK_S = 0.15
"""Lags this near to the best one are the same peak."""
_DOUBT = 0.5
"""Of the evidence is believed when peaks are weighed and their width is told: skin and trackers are not linear."""
_COARSE_VALUES = 400
"""A longer recording is looked at here and there in the first, coarse search."""
_DRIFT_STEP_S = 0.1
"""By how much neighbouring skews pull the ends of a recording apart in the first, coarse search."""
_ROUNDS, _SHRINK = 6, 2.5


@dataclass(frozen=True, slots=True)
class Fit:
    """camera time = start_s + lag_s + (1 + skew) (sensor time - start_s); start_s: the camera's first frame.

    evidence: of the fit, in natural logarithms. tempered: the same, with the values counted that the residual shows
    to be independent. error_s: standard deviation of the lag, at the middle of the recording.
    share: weight of this peak among all lags that were looked at, 0..1, at this skew.
    """

    start_s: float
    lag_s: float
    skew: float
    evidence: float
    tempered: float
    error_s: float
    share: float

    @property
    def offset_s(self) -> float:
        """camera time = (1 + skew) sensor time + offset_s."""
        return self.lag_s - self.skew * self.start_s


class LagSearch:
    """Over lags up to within_s to either side, between the start of the camera's recording and the same moment in the
    sensor's."""

    def __init__(self, alike: Sequence[Likeness], within_s: float) -> None:
        self._alike = alike
        self._within_s = within_s
        self._start_s = min(likeness.camera.start_s for likeness in alike)
        self._span_s = max(len(likeness.camera.values) for likeness in alike) * STEP_S
        self._lags = np.arange(-within_s, within_s + COARSE_LAG_S / 2, COARSE_LAG_S)
        self._stride = max(1, round(self._span_s / STEP_S / _COARSE_VALUES))

    def without_skew(self) -> Fit:
        return self._finished(*self._nearer(self._best_lag(0.0), 0.0, 0.0))

    def with_skew(self) -> Fit:
        """The best of all skews up to `MOST_SKEW`; one at that bound means that there is none to be found."""
        step = _DRIFT_STEP_S / self._span_s
        skews = np.arange(-round(MOST_SKEW / step), round(MOST_SKEW / step) + 1) * step
        heights = np.array([self._evidence(self._lags, skew, self._stride).max() for skew in skews])
        skew = float(skews[heights.argmax()])
        return self._finished(*self._nearer(self._best_lag(skew), skew, step))

    def _best_lag(self, skew: float) -> float:
        return float(self._lags[self._evidence(self._lags, skew, self._stride).argmax()])

    def _nearer(self, lag_s: float, skew: float, skew_step: float) -> tuple[float, float]:
        """Ever finer grids around the best so far; lag and skew are turned about the middle, where they are free of
        each other."""
        middle = self._span_s / 2.0
        at_middle, step_s = lag_s + skew * middle, COARSE_LAG_S
        around = np.linspace(-2.0, 2.0, 9)
        for _ in range(_ROUNDS):
            skews = np.clip(skew + (around * skew_step if skew_step else np.zeros(1)), -MOST_SKEW, MOST_SKEW)
            heights = np.array([self._evidence(at_middle + around * step_s - s * middle, s, 1) for s in skews])
            best_skew, best_lag = np.unravel_index(heights.argmax(), heights.shape)
            at_middle, skew = float(at_middle + around[best_lag] * step_s), float(skews[best_skew])
            step_s, skew_step = step_s / _SHRINK, skew_step / _SHRINK
        return at_middle - skew * middle, skew

    def _finished(self, lag_s: float, skew: float) -> Fit:
        independent = [self._independent(likeness, lag_s, skew) for likeness in self._alike]
        near = lag_s + np.array([-COARSE_LAG_S, 0.0, COARSE_LAG_S]) / 2.0
        before, here, after = self._evidence(near, skew, 1, independent)
        bend = max((2.0 * here - before - after) / (COARSE_LAG_S / 2.0) ** 2, 1e-9)
        rivals = self._evidence(self._lags, skew, self._stride, independent)
        apart = np.abs(self._lags - lag_s) > PEAK_S
        weights = np.exp((rivals[apart] - here) * _DOUBT)
        return Fit(
            start_s=self._start_s,
            lag_s=lag_s,
            skew=skew,
            evidence=float(self._evidence(near[1:2], skew, 1)[0]),
            tempered=float(here),
            error_s=float((_DOUBT * bend) ** -0.5),
            share=float(1.0 / (1.0 + weights.sum() * COARSE_LAG_S / PEAK_S)),
        )

    def _evidence(self, lags: Floats, skew: float, stride: int, independent: Sequence[Floats] | None = None) -> Floats:
        """(lags,), at one skew. independent: for each likeness (k,) independent values; counted by time where None."""
        total = np.zeros(len(lags))
        for index, likeness in enumerate(self._alike):
            explained, covered, span_s = self._explained(likeness, lags, skew, stride)
            count = np.full(1, span_s / likeness.correlated_s) if independent is None else independent[index]
            gain = -0.5 * np.log1p(-explained) * count * covered[:, None]
            total += np.where(covered >= LEAST_SHARE, gain.sum(axis=1), 0.0)
        return total

    def _explained(self, likeness: Likeness, lags: Floats, skew: float, stride: int) -> tuple[Floats, Floats, float]:
        """(lags, k) share of each coordinate's variance that the sensor explains, (lags,) share of the camera's values
        that the sensor covers, and the recording's length, s."""
        y, x, weight = self._aligned(likeness, lags, skew, stride)
        count = weight.sum(axis=1)
        root = np.sqrt(weight)[..., None]
        x = (x - _mean(x, weight, count)) * root
        y = (y - _mean(y, weight, count)) * root
        xx = np.einsum("lnp,lnq->lpq", x, x)
        xy = np.einsum("lnp,lnk->lpk", x, y)
        xx += 1e-6 * np.einsum("lpp->l", xx)[:, None, None] * np.eye(x.shape[2]) + 1e-12 * np.eye(x.shape[2])
        explained = (np.linalg.solve(xx, xy) * xy).sum(axis=1) / np.maximum((y * y).sum(axis=1), 1e-12)
        share = count / max(len(likeness.camera.values[::stride]), 1)
        return np.clip(explained, 0.0, 0.9999), share, len(likeness.camera.values) * STEP_S

    def _aligned(self, likeness: Likeness, lags: Floats, skew: float, stride: int) -> tuple[Floats, Floats, Floats]:
        """The camera's values (1, n, k), the sensor's at the same instants (lags, n, p), and (lags, n) the weight."""
        camera, sensor = likeness.camera, likeness.sensor
        times = camera.start_s + np.arange(0, len(camera.values), stride) * STEP_S - self._start_s
        place = (self._start_s - lags[:, None] / (1.0 + skew) + times / (1.0 + skew) - sensor.start_s) / STEP_S
        before = np.floor(place).astype(np.intp)
        inside = (before >= 0) & (before < len(sensor.values) - 1)
        before = np.clip(before, 0, len(sensor.values) - 2)
        share = (place - before)[..., None]
        x = sensor.values[before] * (1.0 - share) + sensor.values[before + 1] * share
        known = sensor.weight[before] * (1.0 - share[..., 0]) + sensor.weight[before + 1] * share[..., 0]
        return camera.values[::stride][None], x, np.where(inside, known * camera.weight[::stride], 0.0)

    def _independent(self, likeness: Likeness, lag_s: float, skew: float) -> Floats:
        """(k,): how many independent values the residual amounts to, by its own correlation over time."""
        y, x, weight = (part[0] for part in self._aligned(likeness, np.array([lag_s]), skew, 1))
        kept = weight > 0
        if kept.sum() < 2:
            return np.zeros(y.shape[1])
        y, x = y[kept] - y[kept].mean(axis=0), x[kept] - x[kept].mean(axis=0)
        residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        count = len(residual)
        power = np.abs(np.fft.rfft(residual, 2 * count, axis=0)) ** 2
        together = np.fft.irfft(power, axis=0)[: min(count, round(1.0 / STEP_S))]
        correlation = together[1:] / np.maximum(together[:1], 1e-12)
        values = count / (1.0 + 2.0 * (correlation**2).sum(axis=0)) / max(weight.mean(), 1e-9)
        return np.asarray(values)


def _mean(values: Floats, weight: Floats, count: Floats) -> Floats:
    summed = (values * weight[..., None]).sum(axis=1, keepdims=True)
    return np.asarray(summed / np.maximum(count, 1.0)[:, None, None])
