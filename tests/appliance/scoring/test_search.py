"""Searched in float32 and settled in float64, the alignment is the one that float64 finds alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring import alignment
from appliance.scoring.alignment import align, align_recordings
from appliance.scoring.band import distance_band

Floats = NDArray[np.float64]
EVEN = np.full((17, 3), 1 / 51)


def walk(rng: np.random.Generator, frames: int, step: float = 0.05) -> Floats:
    return np.asarray(np.cumsum(rng.normal(0.0, step, (frames, 17, 3)), axis=0))


def assert_same(base: Floats, reference: Floats, window: int, smoothness: float, weights: Floats = EVEN) -> None:
    expected = align(distance_band(base, reference, weights, window), window, smoothness)
    found = align_recordings(base, reference, weights, window, smoothness)
    assert found.shifts.tolist() == expected.shifts.tolist()
    assert found.cost == pytest.approx(expected.cost, rel=1e-12, abs=1e-9)


@pytest.fixture
def _quick_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """float64 may not do it all."""

    def refused(*_: object) -> None:
        raise AssertionError("the search gave up")

    monkeypatch.setattr(alignment, "distance_band", refused)


@pytest.mark.parametrize("smoothness", [1e-12, 1e-4, 0.0025, 0.01, 0.3, 1e6, 1e300, 0.0])
def test_pairs_of_all_lengths_and_windows(smoothness: float) -> None:
    rng = np.random.default_rng(1)
    for number in range(60):
        n = int(rng.integers(1, 120))
        m = n + int(rng.integers(0, 40)) * (number % 3)
        weights = rng.random((17, 3))
        window = (0, n // 4, n // 10)[number % 3]
        assert_same(walk(rng, n), walk(rng, m), window, smoothness, weights / weights.sum())


@pytest.mark.parametrize("joints", [1, 2, 17])
def test_any_number_of_joints(joints: int) -> None:
    rng = np.random.default_rng(2)
    base, reference = walk(rng, 90)[:, :joints], walk(rng, 99)[:, :joints]
    assert_same(base, reference, 9, 0.01, np.full((joints, 3), 1 / (3 * joints)))


@pytest.mark.parametrize("smoothness", [0.25, 0.01, 0.0])
def test_ties_fall_as_in_float64(smoothness: float) -> None:
    rng = np.random.default_rng(3)
    for levels in (1, 2, 3):
        for frames in (2, 13, 60):
            base, reference = (rng.integers(0, levels, (k, 1, 1)) * np.ones((1, 17, 3)) for k in (frames, frames + 7))
            assert_same(base, reference, frames // 4, smoothness)
    assert_same(np.zeros((40, 17, 3)), np.zeros((50, 17, 3)), 8, smoothness)


@pytest.mark.parametrize("scale", [1e-300, 1e-40, 1e-20, 1e-7, 1e-3, 1e3, 1e7, 1e12, 1e25])
def test_sizes_that_float32_does_not_hold(scale: float) -> None:
    rng = np.random.default_rng(4)
    base, reference = scale * walk(rng, 70), scale * walk(rng, 80)
    for smoothness in (0.01 * scale, 0.01):
        expected = align(distance_band(base, reference, EVEN, 15), 15, smoothness)
        found = align_recordings(base, reference, EVEN, 15, smoothness)
        assert found.shifts.tolist() == expected.shifts.tolist()
        assert found.cost == pytest.approx(expected.cost, rel=1e-9)


@pytest.mark.parametrize("offset", [1.0, 1e3, 1e6, 1e9])
def test_small_differences_far_from_the_origin(offset: float) -> None:
    rng = np.random.default_rng(5)
    shape = rng.normal(0.0, offset, (17, 3))
    for step in (1e-1, 1e-4, 1e-7):
        assert_same(shape + walk(rng, 100, step), shape + walk(rng, 110, step), 20, 0.01)


def test_recordings_that_hardly_move_and_such_that_stop() -> None:
    rng = np.random.default_rng(6)
    for noise in (0.0, 1e-9, 1e-6, 1e-3):
        still = 0.4 + noise * rng.standard_normal((150, 17, 3))
        assert_same(still[:70], still[70:], 17, 0.01)
        stopping = np.concatenate([walk(rng, 40), still[:80]])
        assert_same(stopping[10:110], stopping, 20, 0.01)


@pytest.mark.usefixtures("_quick_only")
def test_the_same_recording_twice_costs_nothing() -> None:
    base = walk(np.random.default_rng(7), 400)
    found = align_recordings(base, base, EVEN, 40, 0.01)
    assert found.cost == 0.0
    assert not found.shifts.any()


@pytest.mark.usefixtures("_quick_only")
@pytest.mark.parametrize("missing", [(), (0,), (16,), (7,), (3, 4, 11), tuple(range(17))])
def test_missing_joints_are_searched_quickly_too(missing: tuple[int, ...]) -> None:
    rng = np.random.default_rng(8)
    base, reference = walk(rng, 200), walk(rng, 220)
    reference += 0.5 * np.sin(np.arange(220) / 20)[:, None, None]
    base += 0.5 * np.sin(np.arange(200) / 20)[:, None, None]
    for joint in missing:
        base[rng.random(200) < 0.3, joint] = np.nan
        reference[rng.random(220) < 0.1, joint, 1] = np.nan
    weights = rng.random((17, 3))
    weights /= weights.sum()
    found = align_recordings(base, reference, weights, 30, 0.01)
    expected = align(distance_band(base, reference, weights, 30), 30, 0.01)
    assert found.shifts.tolist() == expected.shifts.tolist()
    assert found.cost == pytest.approx(expected.cost, rel=1e-12)


def test_frames_without_any_joint_in_common() -> None:
    rng = np.random.default_rng(9)
    base, reference = walk(rng, 60), walk(rng, 66)
    base[20:30] = np.nan
    assert_same(base, reference, 10, 0.01)
    base[:, :9] = reference[:, 9:] = np.nan
    with pytest.raises(NotScorableError, match="the reference shows"):
        align_recordings(base, reference, EVEN, 10, 0.01)


def test_positions_need_not_be_in_order_in_memory() -> None:
    rng = np.random.default_rng(10)
    base, reference = walk(rng, 160)[::2], np.asfortranarray(walk(rng, 90))
    assert_same(base, reference, 10, 0.01)
