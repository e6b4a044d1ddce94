"""Gaps up to 0.25 s are bridged by a straight line; longer ones stay."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.skeleton.gaps import fill_gaps
from appliance.skeleton.standard import Recording, recording_of


def straight(rate_hz: float, frames: int = 60) -> Recording:
    """Every coordinate rises steadily with time, so that a straight line restores it exactly."""
    times = 5.0 + np.arange(frames) / rate_hz
    slopes = np.linspace(-1, 1, 51).reshape(17, 3)
    return recording_of(times, times[:, None, None] * slopes)


def without(recording: Recording, joint: int, frames: slice) -> Recording:
    positions = recording.positions.copy()
    positions[frames, joint] = np.nan
    return recording_of(recording.times, positions)


@pytest.mark.parametrize(("rate_hz", "longest"), [(30.0, 7), (20.0, 5), (96.0, 24), (5.0, 1)])
def test_a_quarter_of_a_second_is_bridged_and_one_frame_more_is_not(rate_hz: float, longest: int) -> None:
    whole = straight(rate_hz)
    bridged, filled = fill_gaps(without(whole, 3, slice(10, 10 + longest)))
    assert bridged.positions == pytest.approx(whole.positions)
    assert filled[:, 3].sum() == filled.sum() == longest
    left, filled = fill_gaps(without(whole, 3, slice(10, 11 + longest)))
    assert np.isnan(left.positions[10 : 11 + longest, 3]).all()
    assert not filled.any()


def test_gaps_are_judged_one_by_one() -> None:
    broken = without(without(straight(30.0), 3, slice(10, 13)), 3, slice(20, 40))
    bridged, filled = fill_gaps(broken)
    assert np.flatnonzero(filled[:, 3]).tolist() == [10, 11, 12]
    assert np.isnan(bridged.positions[20:40, 3]).all()


def test_nothing_is_invented_before_the_first_or_after_the_last_sight() -> None:
    broken = without(without(straight(30.0), 0, slice(0, 2)), 0, slice(58, 60))
    bridged, filled = fill_gaps(broken)
    assert not filled.any()
    assert np.isnan(bridged.positions[[0, 1, 58, 59], 0]).all()


def test_lost_frames_count_as_missing_time() -> None:
    whole = straight(30.0)
    keep = np.r_[0:10, 25:60]
    broken = recording_of(whole.times[keep], whole.positions[keep])
    broken.positions[9, 2] = np.nan
    broken.confidence[9, 2] = 0.0
    bridged, filled = fill_gaps(broken)
    assert not filled.any()
    assert np.isnan(bridged.positions[9, 2]).all()


def test_a_filled_joint_has_confidence_again_and_the_given_recording_stays_as_it_was() -> None:
    broken = without(straight(30.0), 3, slice(10, 12))
    bridged, _ = fill_gaps(broken)
    assert bridged.confidence[10:12, 3].tolist() == [1.0, 1.0]
    assert np.isnan(broken.positions[10:12, 3]).all()


def test_a_complete_recording_is_handed_back_itself() -> None:
    whole = straight(30.0)
    assert fill_gaps(whole)[0] is whole
