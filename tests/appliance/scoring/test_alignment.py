"""The alignment is the exact minimum, with the smaller shift on ties."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.scoring.alignment import align


def every_predecessor(band: NDArray[np.float64], window: int, smoothness: float) -> tuple[NDArray[np.int64], float]:
    """The programme that tries every predecessor of every column."""
    frames, columns = band.shape
    jump = np.subtract.outer(np.arange(columns), np.arange(columns)).astype(float)  # jump[s, a] = s - a
    gamma = np.where(jump >= -1, smoothness * jump**2, np.inf)
    cost, back = band[0], np.zeros((frames, columns), int)
    for t in range(1, frames):
        arriving = cost[None, :] + gamma
        back[t] = arriving.argmin(axis=1)
        cost = arriving.min(axis=1) + band[t]
    path = [int(cost.argmin())]
    for t in range(frames - 1, 0, -1):
        path.append(int(back[t, path[-1]]))
    return np.array(path[::-1]) - window, float(cost.min())


def cost_of(band: NDArray[np.float64], columns: NDArray[np.int64], smoothness: float) -> float:
    return float(band[np.arange(len(band)), columns].sum() + smoothness * (np.diff(columns) ** 2).sum())


@pytest.mark.parametrize("smoothness", [0.0, 1e-6, 0.01, 0.0025, 0.3, 1.0, 1e6, 1e300])
def test_random_bands_give_the_path_of_the_programme_that_tries_everything(smoothness: float) -> None:
    rng = np.random.default_rng(1)
    for frames, extra in itertools.product((2, 3, 4, 5, 8, 19, 60), (0, 1, 7, 60)):
        window = frames // 4
        band = rng.gamma(2.0, 0.3, (frames, extra + 2 * window + 1))
        path, cost = every_predecessor(band, window, smoothness)
        found = align(band, window, smoothness)
        assert found.cost == pytest.approx(cost, abs=1e-9)
        assert found.shifts.tolist() == path.tolist()


@pytest.mark.parametrize("smoothness", [0.0, 0.25, 0.5, 1.0, 2.0, 0.01, 0.1])
def test_ties_go_to_the_smaller_shift_in_the_last_column_and_every_predecessor(smoothness: float) -> None:
    rng = np.random.default_rng(2)
    for levels, frames in itertools.product((1, 2, 3), (2, 5, 13, 40)):
        window = frames // 4
        band = rng.integers(0, levels, (frames, 9 + 2 * window)) * 0.5
        path, cost = every_predecessor(band, window, smoothness)
        found = align(band, window, smoothness)
        assert found.cost == pytest.approx(cost, abs=1e-9)
        assert found.shifts.tolist() == path.tolist()


def test_a_flat_band_keeps_the_smallest_shift_throughout() -> None:
    assert align(np.ones((6, 5)), 2, 0.01).shifts.tolist() == [-2] * 6


def test_a_shift_falls_by_at_most_one_a_frame() -> None:
    band = np.ones((8, 8))
    band[0, 7] = band[1:, 0] = 0.0  # the cheapest cells are seven columns apart, in the forbidden direction
    columns = align(band, 0, 0.0).shifts
    assert np.diff(columns).min() >= -1


def test_no_random_change_of_the_path_is_cheaper() -> None:
    rng = np.random.default_rng(3)
    band = rng.gamma(2.0, 0.3, (30, 41))
    found = align(band, 0, 0.01)
    assert found.cost == pytest.approx(cost_of(band, found.shifts, 0.01), abs=1e-12)
    for _ in range(2000):
        start, length = rng.integers(0, 30), rng.integers(1, 10)
        other = found.shifts.copy()
        other[start : start + length] = np.clip(other[start : start + length] + rng.integers(-5, 6), 0, 40)
        if np.diff(other).min() >= -1:
            assert cost_of(band, other, 0.01) >= found.cost - 1e-12


def test_a_window_of_nothing_and_equal_lengths_leave_one_path() -> None:
    band = np.arange(7.0)[:, None]
    found = align(band, 0, 0.01)
    assert found.shifts.tolist() == [0] * 7
    assert found.cost == 21.0


def test_one_frame_takes_its_cheapest_column() -> None:
    found = align(np.array([[3.0, 1.0, 1.0]]), 1, 0.01)
    assert found.shifts.tolist() == [0]
    assert found.cost == 1.0
