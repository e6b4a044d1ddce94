"""What counts as a repetition, on movements whose bounds are known."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from appliance.errors import NotScorableError
from appliance.segmentation.repetitions import Repetition, find_repetitions
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.virtual.impairment import Impairment
from hal.virtual.patient import VirtualPatient

Performing = Callable[..., Any]

STILL = ([], [8.0])
THREE = ([{}, {}, {}], [1.0, 0.6, 1.5, 1.0])


def bounds_of(found: list[Repetition]) -> np.ndarray:
    return np.array([(one.start_s, one.reverse_s, one.end_s) for one in found])


def drawn_set(performing: Performing, seed: int) -> Any:
    """One tempo for the whole set and something of everything else."""
    rng = np.random.default_rng(seed)
    tempo = np.exp(rng.uniform(np.log(0.4), np.log(6.0)))
    rate_hz = rng.choice([10.0, 15.0, 30.0, 60.0])
    raises = [
        {
            "up_s": tempo * rng.uniform(0.8, 1.25),
            "down_s": tempo * rng.uniform(0.8, 1.25),
            "hold_s": rng.choice([0.0, 0.0, 2.0]),
            "angle": rng.uniform(1.0, 2.2),
        }
        for _ in range(rng.integers(1, 9))
    ]
    pauses = rng.uniform(0.4, 2.5, len(raises) + 1).tolist()
    return performing(raises, pauses, rate_hz=rate_hz, noise=rng.uniform(0.0, 0.02), seed=seed)


@pytest.mark.parametrize("seed", range(40))
def test_every_repetition_is_found_at_any_tempo_rate_and_noise(performing: Performing, seed: int) -> None:
    truth = drawn_set(performing, seed)
    found = find_repetitions(truth.recording)
    assert len(found) == len(truth.bounds)
    assert all(one.complete for one in found)
    slack = 0.35 + 0.1 * (truth.bounds[:, 2] - truth.bounds[:, 0])[:, None]
    assert (np.abs(bounds_of(found) - truth.bounds) < slack).all()


def test_a_long_set_without_pauses_is_counted_exactly(performing: Performing) -> None:
    truth = performing([{"up_s": 0.5, "down_s": 0.6}] * 40, [1.0] + [0.0] * 39 + [1.0], noise=0.01)
    found = find_repetitions(truth.recording)
    assert len(found) == 40
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.3
    assert all(one.end_s <= after.start_s for one, after in pairwise(found))


def test_one_short_repetition_in_a_long_rest_is_one(performing: Performing) -> None:
    truth = performing([{"up_s": 0.5, "down_s": 0.5}], [40.0, 40.0], noise=0.01)
    (found,) = find_repetitions(truth.recording)
    assert found.start_s == pytest.approx(truth.bounds[0, 0], abs=0.5)
    assert found.reverse_s == pytest.approx(truth.bounds[0, 1], abs=0.1)


def test_holding_the_turning_point_for_longer_than_the_rest_changes_nothing(performing: Performing) -> None:
    truth = performing([{"hold_s": 5.0}] * 3, [1.0, 0.8, 0.8, 1.0], noise=0.005)
    found = find_repetitions(truth.recording)
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


def test_left_and_right_in_turn_are_both_repetitions(performing: Performing) -> None:
    sides = [{"side": side} for side in ("left", "right") * 3]
    truth = performing(sides, [1.0] * 7, noise=0.01)
    found = find_repetitions(truth.recording)
    assert len(found) == 6
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


@pytest.mark.parametrize("seed", [0, 3])
def test_standing_up_with_a_gross_lean_and_sitting_down_again_is_one_repetition(seed: int) -> None:
    """Leaning is most of the movement then, and the same when seated and upright."""
    patient = VirtualPatient(seed)
    patient.rest("sit_to_stand", "both", at_s=-10.0)
    end_s = patient.perform("sit_to_stand", "both", 3, at_s=0.0, impairment=Impairment(correction={"trunk": 0}))
    times = np.arange(int((end_s + 1.0) * 30)) / 30
    found = find_repetitions(recording_of(times, patient.joints(times)))
    assert [one.complete for one in found] == [True] * 3
    assert min(one.end_s - one.start_s for one in found) > 3.5


def test_with_joints_named_only_their_movement_counts(performing: Performing) -> None:
    truth = performing([{"side": side} for side in ("left", "right", "left")], [1.0] * 4, noise=0.005)
    found = find_repetitions(truth.recording, ["left_elbow", "left_wrist"])
    assert np.abs(bounds_of(found) - truth.bounds[[0, 2]]).max() < 0.4


def test_a_hesitation_on_the_way_does_not_split_a_repetition(performing: Performing) -> None:
    truth = performing(*THREE)
    times = truth.recording.times
    middle = truth.bounds[1, 0] + 0.5  # half-way up: the patient stops there for a second
    stopped = np.where(times < middle, times, np.maximum(middle, times - 1.0))
    positions = np.stack(
        [[np.interp(stopped, times, truth.recording.positions[:, j, k]) for k in range(3)] for j in range(17)]
    ).transpose(2, 0, 1)
    found = find_repetitions(recording_of(times, positions))
    assert len(found) == 3
    assert found[1].start_s == pytest.approx(truth.bounds[1, 0], abs=0.35)
    assert found[1].end_s == pytest.approx(truth.bounds[1, 2] + 1.0, abs=0.35)


def test_fidgeting_at_rest_does_not_count(performing: Performing) -> None:
    fidget = {"angle": 0.2, "up_s": 0.3, "down_s": 0.3}
    truth = performing([{}, fidget, {}, fidget, fidget, {}], [1.0] * 7, noise=0.005)
    found = find_repetitions(truth.recording)
    assert np.abs(bounds_of(found) - truth.bounds[[0, 2, 5]]).max() < 0.5


def test_a_shallow_repetition_among_full_ones_counts(performing: Performing) -> None:
    truth = performing([{}, {"angle": 0.9}, {}], [1.0] * 4, noise=0.01)
    assert len(find_repetitions(truth.recording)) == 3


def test_a_patient_who_drifts_away_during_the_set_is_followed(performing: Performing) -> None:
    truth = performing([{}] * 8, [1.0] * 9, noise=0.005)
    drift = np.linspace(0, 0.4, len(truth.recording))[:, None, None] * [1.0, 0.0, 0.5]
    found = find_repetitions(dataclasses.replace(truth.recording, positions=truth.recording.positions + drift))
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_what_the_end_of_the_recording_cuts_off_is_incomplete(performing: Performing, share: float) -> None:
    truth = performing(*THREE, noise=0.005)
    start, turn, end = truth.bounds[2]
    cut = start + share * (end - start)
    found = find_repetitions(truth.recording.between(0.0, cut))
    assert [one.complete for one in found] == [True, True, False]
    assert found[2].start_s == pytest.approx(start, abs=0.4)
    assert found[2].end_s == pytest.approx(cut, abs=0.1)
    assert (found[2].reverse_s is None) == (cut <= turn)


def test_what_the_beginning_of_the_recording_cuts_off_is_incomplete(performing: Performing) -> None:
    truth = performing(*THREE, noise=0.005)
    found = find_repetitions(truth.recording.between(truth.bounds[0, 1] + 0.3, 100.0))
    assert [one.complete for one in found] == [False, True, True]
    assert found[0].reverse_s is None
    assert found[0].end_s == pytest.approx(truth.bounds[0, 2], abs=0.4)


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("rate_hz", [5.0, 30.0, 60.0])
def test_someone_who_keeps_still_has_no_repetitions(performing: Performing, noise: float, rate_hz: float) -> None:
    assert find_repetitions(performing(*STILL, rate_hz=rate_hz, noise=noise).recording) == []


def test_gaps_and_joints_that_were_never_seen_change_little(performing: Performing) -> None:
    truth = performing(*THREE, noise=0.01)
    positions = truth.recording.positions.copy()
    rng = np.random.default_rng(5)
    for begin in rng.integers(0, len(positions) - 8, 60):
        positions[begin : begin + 6, rng.integers(17)] = np.nan
    positions[:, [INDEX["left_ankle"], INDEX["head"]]] = np.nan
    found = find_repetitions(recording_of(truth.recording.times, positions))
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


def test_a_joint_that_the_tracker_throws_about_is_not_followed(performing: Performing) -> None:
    truth = performing(*THREE, noise=0.005)
    positions = truth.recording.positions.copy()
    thrown = np.random.default_rng(3).random(len(positions) // 12 + 1) < 0.5
    positions[:, INDEX["left_knee"]] += np.repeat(thrown, 12)[: len(positions), None] * [0.5, 0.6, 0.5]
    found = find_repetitions(recording_of(truth.recording.times, positions))
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


def moved(recording: Recording, scale: float) -> Recording:
    turn = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
    return recording_of(recording.times, scale * recording.positions @ turn.T + [3.0, -1.0, 2.0])


@pytest.mark.parametrize("scale", [0.6, 1.0, 400.0])
def test_size_heading_and_place_of_the_patient_change_nothing(performing: Performing, scale: float) -> None:
    recording = performing(*THREE, noise=0.01).recording
    assert bounds_of(find_repetitions(moved(recording, scale))) == pytest.approx(
        bounds_of(find_repetitions(recording)), abs=0.02
    )


def test_times_are_on_the_recordings_own_axis(performing: Performing) -> None:
    recording = performing(*THREE, noise=0.01).recording
    later = dataclasses.replace(recording, times=recording.times + 1234.5)
    shift = bounds_of(find_repetitions(later)) - bounds_of(find_repetitions(recording))
    assert shift == pytest.approx(1234.5, abs=1e-6)


def test_a_planar_recording_is_cut_like_any_other(performing: Performing) -> None:
    truth = performing(*THREE, noise=0.005)
    pixels = truth.recording.positions * [400.0, 400.0, 0.0]
    found = find_repetitions(recording_of(truth.recording.times, pixels, planar=True))
    assert np.abs(bounds_of(found) - truth.bounds).max() < 0.4


def test_while_a_set_is_growing_complete_repetitions_are_never_taken_back(performing: Performing) -> None:
    truth = performing([{"hold_s": 1.0}] * 5, [1.0, 0.5, 1.5, 0.7, 1.0, 2.0], noise=0.01)
    counts = [
        sum(one.complete for one in find_repetitions(truth.recording.between(0.0, until)))
        for until in np.arange(1.0, truth.recording.times[-1], 0.5)
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 5


def test_what_cannot_be_followed_is_refused_in_one_line() -> None:
    nothing = np.full((50, 17, 3), np.nan)
    with pytest.raises(NotScorableError, match="none of the joints was seen"):
        find_repetitions(recording_of(np.arange(50) / 30, nothing))
    with pytest.raises(NotScorableError, match="1 frame"):
        find_repetitions(recording_of(np.zeros(1), np.zeros((1, 17, 3))))
    with pytest.raises(NotScorableError, match="time stamps"):
        find_repetitions(recording_of(np.array([0.0, 0.1, 0.2, 1e9]), np.zeros((4, 17, 3))))


def test_turning_back_before_rest_is_reached_is_incomplete(performing: Performing) -> None:
    truth = performing(*THREE)
    positions = truth.recording.positions.copy()
    times, (first, second) = truth.recording.times, truth.bounds[:2]
    half = positions[np.searchsorted(times, first[1] + 0.5)]  # half-way down, and up again from there
    positions[(times > first[1] + 0.5) & (times < second[0] + 0.5)] = half
    found = find_repetitions(recording_of(times, positions))
    assert [one.complete for one in found] == [False, False, True]


def test_three_minutes_are_cut_in_a_fraction_of_a_second(performing: Performing) -> None:
    truth = performing([{"up_s": 1.5, "down_s": 1.5}] * 45, [1.0] * 46, noise=0.01)
    began = time.process_time()
    for _ in range(5):
        assert len(find_repetitions(truth.recording)) == 45
    assert (time.process_time() - began) / 5 < 0.25
