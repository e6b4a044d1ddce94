"""One frame rate: frames already on the grid stay untouched, others are interpolated, holes stay holes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from appliance.errors import NotScorableError
from appliance.skeleton.resample import resample
from appliance.skeleton.standard import Recording, recording_of


def straight(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Recording:
    """Every coordinate is a straight line over time."""
    return recording_of(times, times[:, None, None] * np.linspace(-1, 1, 51).reshape(17, 3))


@pytest.mark.parametrize("decimals", [3, 4, 9])
def test_stamps_rounded_by_a_file_leave_every_frame_as_it_was_measured(decimals: int) -> None:
    recording = straight(np.round(7.0 + np.arange(2000) / 30, decimals))
    assert resample(recording, 30.0) is recording


def test_stamps_that_drift_or_jitter_are_put_on_the_grid() -> None:
    for times in (np.arange(300) * 0.0334, np.arange(300) / 30 + np.random.default_rng(1).uniform(0, 0.01, 300)):
        level = resample(straight(times), 30.0)
        assert np.diff(level.times) == pytest.approx(np.full(len(level) - 1, 1 / 30))
        assert level.positions == pytest.approx(straight(level.times).positions)
        assert 0 <= times[-1] - level.times[-1] < 1 / 30


@pytest.mark.parametrize(("given", "frames"), [(60.0, 61), (96.0, 61), (10.0, 61), (5.0, 61)])
def test_two_seconds_at_any_rate_give_the_same_frames(given: float, frames: int) -> None:
    times = np.round(np.arange(round(2 * given) + 1) / given, 4)
    level = resample(straight(times), 30.0)
    assert len(level) == frames
    assert level.positions == pytest.approx(straight(np.arange(61) / 30).positions, abs=2e-4)


def test_a_joint_unseen_in_either_neighbour_stays_unseen() -> None:
    recording = straight(np.arange(13) / 10)
    recording.positions[5, 4] = np.nan
    recording.confidence[5, 4] = 0.0
    level = resample(recording, 20.0)
    assert np.flatnonzero(np.isnan(level.positions[:, 4, 0])).tolist() == [9, 10, 11]
    assert np.flatnonzero(level.confidence[:, 4] == 0).tolist() == [9, 10, 11]
    assert np.isfinite(np.delete(level.positions, 4, axis=1)).all()


def test_frames_lost_for_long_are_a_hole_and_for_short_are_bridged() -> None:
    times = np.arange(60) / 30
    long = resample(straight(np.delete(times, np.r_[20:40])), 30.0)
    assert len(long) == 60
    assert np.flatnonzero(np.isnan(long.positions).any(axis=(1, 2))).tolist() == list(range(20, 40))
    short = resample(straight(np.delete(times, np.r_[20:26])), 30.0)
    assert short.positions == pytest.approx(straight(times).positions)


def test_a_recording_that_would_not_fit_into_memory_is_refused() -> None:
    with pytest.raises(NotScorableError, match="cut it"):
        resample(straight(np.array([0.0, 0.1, 1e12])), 30.0)


def test_one_frame_stays_one_frame() -> None:
    one = straight(np.array([3.0]))
    assert resample(replace(one), 30.0).times.tolist() == [3.0]
