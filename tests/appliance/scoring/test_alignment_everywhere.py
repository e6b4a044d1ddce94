"""On any matrix of distances, random or built to be nasty, the alignment costs what trying everything finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.scoring.alignment import align
from appliance.scoring.band import distance_band

Floats = NDArray[np.float64]
SMOOTHNESSES = (0.0, 1e-300, 1e-12, 1e-4, 0.01, 0.25, 1.0, 1e6, 1e300)


@numba.njit
def every_predecessor(band, window, smoothness):  # type: ignore[no-untyped-def]
    """Section 4 as it stands: every shift tries every shift before; ties by strict comparison, smallest first."""
    n, columns = band.shape
    cost = np.full(band.shape, np.inf)
    back = np.zeros(band.shape, np.int64)
    cost[0] = band[0]
    for t in range(1, n):
        for s in range(columns):
            least = np.inf
            for a in range(min(s + 2, columns)):
                jump = float(s - a)
                tried = cost[t - 1, a] + smoothness * (jump * jump)
                if tried < least:
                    least, back[t, s] = tried, a
            cost[t, s] = least + band[t, s]
    path = np.empty(n, np.int64)
    s = np.argmin(cost[n - 1])
    least = cost[n - 1, s]
    for t in range(n - 1, -1, -1):
        path[t] = s - window
        s = back[t, s]
    return path, least


def nasty_bands(rng: np.random.Generator, frames: int, columns: int) -> Iterator[Floats]:
    """Flat, tied, spiked, with cliffs that make the far jumps the cheap ones, and drifting."""
    shape = frames, columns
    yield np.zeros(shape)
    yield np.full(shape, 0.3)
    yield rng.integers(0, 3, shape) * 0.5
    yield rng.gamma(2.0, 0.3, shape)
    yield 0.2 + 1e-9 * rng.random(shape)
    yield np.where(rng.random(shape) < 0.02, 0.0, 5.0)
    yield np.where(np.arange(columns) < rng.integers(0, columns + 1, (frames, 1)), 0.0, 1e3)
    yield np.abs(np.arange(columns) - rng.integers(0, columns, (frames, 1))) * 0.05
    yield np.cumsum(rng.random(shape), axis=1)


@pytest.mark.parametrize("smoothness", SMOOTHNESSES)
def test_cost_and_path_are_those_of_trying_everything(smoothness: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(25):
        frames, columns = int(rng.integers(2, 50)), int(rng.integers(1, 120))
        for number, band in enumerate(nasty_bands(rng, frames, columns)):
            path, cost = every_predecessor(band, 3, smoothness)
            found = align(band, 3, smoothness)
            assert found.cost == pytest.approx(cost, rel=1e-12, abs=1e-300), number
            assert cost_of(band, found.shifts + 3, smoothness) == pytest.approx(cost, rel=1e-9, abs=1e-300), number
            if smoothness not in (1e-300, 1e-12):  # there a jump costs less than the sums are rounded by
                assert found.shifts.tolist() == path.tolist(), number


def cost_of(band: Floats, columns: NDArray[np.int64], smoothness: float) -> float:
    jumps = np.diff(columns).astype(float)
    assert (jumps >= -1).all()
    return float(band[np.arange(len(band)), columns].sum() + (smoothness * jumps**2).sum())


def recordings(rng: np.random.Generator, number: int) -> tuple[Floats, Floats]:
    """Two of 2 to 400 frames, the base first: one moves as the other, or not at all, or holds still in between."""
    n = int(rng.integers(2, 60 if number % 20 else 401))
    m = n if number % 3 == 0 else n + int(rng.integers(0, 60))
    base, reference = (np.cumsum(rng.normal(0.0, 0.05, (frames, 17, 3)), axis=0) for frames in (n, m))
    if number % 5 == 1:
        base, reference = (0.4 + 1e-7 * rng.standard_normal(x.shape) for x in (base, reference))
    if number % 5 == 2:
        base = reference[np.sort(rng.integers(0, m, n))]
    if number % 5 == 3:
        base[n // 3 :], reference[m // 4 : m // 2] = base[n // 3], reference[m // 4]
    if number % 7 == 4:
        base[rng.random(base.shape[:2]) < 0.2] = np.nan
    return base, reference


def test_thousands_of_pairs_of_recordings() -> None:
    rng = np.random.default_rng(6)
    for number in range(2000):
        base, reference = recordings(rng, number)
        weights = rng.random((17, 3))
        window = (0, len(base) // 4)[number % 4 > 0]
        smoothness = SMOOTHNESSES[number % len(SMOOTHNESSES)]
        band = distance_band(base, reference, weights / weights.sum(), window)
        _, cost = every_predecessor(band, window, smoothness)
        found = align(band, window, smoothness)
        assert found.cost == pytest.approx(cost, rel=1e-9), number
        assert cost_of(band, found.shifts + window, smoothness) == pytest.approx(cost, rel=1e-9), number


def test_distances_are_those_of_the_formula_and_alike_frames_are_exactly_as_far() -> None:
    rng = np.random.default_rng(7)
    for number in range(1, 100):
        base, reference = recordings(rng, number)
        weights = rng.random((17, 3))
        weights /= weights.sum()
        window = len(base) // 4
        band = distance_band(base, reference, weights, window)
        expected = plain_band(base, reference, weights, window)
        assert band == pytest.approx(expected, rel=1e-7, abs=2.0**-32), number
        assert (band[expected == 0.0] == 0.0).all()


def plain_band(base: Floats, reference: Floats, weights: Floats, window: int) -> Any:
    shifts = np.arange(-window, len(reference) - len(base) + window + 1)
    u = np.clip(np.arange(len(base))[:, None] + shifts, 0, len(reference) - 1)
    parts = weights * (base[:, None] - reference[u]) ** 2
    weight = np.where(np.isnan(parts), 0.0, weights).sum(axis=(2, 3))
    with np.errstate(invalid="ignore"):
        band = np.sqrt(np.nansum(parts, axis=(2, 3)) / weight)
    return np.where(np.isnan(band), np.nanmean(band), band)


def test_the_band_is_kept_unless_it_may_be_lost() -> None:
    band = np.random.default_rng(8).random((30, 20))
    kept = band.copy()
    first = align(band, 0, 0.01)
    assert (band == kept).all()
    assert align(band, 0, 0.01, overwrite=True).shifts.tolist() == first.shifts.tolist()
