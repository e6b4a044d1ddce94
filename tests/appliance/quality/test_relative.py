"""A movement is described relative to its reference: nothing where they agree, the same for either side, any tempo."""

from __future__ import annotations

import numpy as np
import pytest

from appliance.quality.relative import CHANNELS, FEATURES, PHASES, Relative, relative
from appliance.scoring.body import body_of
from appliance.scoring.components import model_of
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.virtual.patient import reference

DIFFERENCE = [i for i, name in enumerate(CHANNELS) if name.startswith("difference.")]
TEMPO = CHANNELS.index("log_tempo")


def performed(exercise: str = "shoulder_abduction", side: str = "left", tempo: float = 1.0) -> Recording:
    return recording_of(*reference(exercise, side, repetitions=1, tempo=tempo))


def compared(shown: Recording, done: Recording) -> Relative:
    return relative(model_of(body_of(shown)), body_of(done))


def feature(of: Relative, name: str) -> float:
    return float(of.vector[FEATURES.index(name)])


def test_a_movement_like_its_reference_differs_in_nothing() -> None:
    same = compared(performed(), performed())
    assert same.sequence.shape == (PHASES, len(CHANNELS))
    assert same.vector.shape == (len(FEATURES),)
    assert np.abs(same.sequence[:, DIFFERENCE]).max() < 1e-6
    assert np.abs(same.sequence[:, TEMPO]).max() < 0.1
    of_one = ("size.", "reference.", "tremor_over_noise.")  # what is no comparison
    ratios = [
        i for i, name in enumerate(FEATURES) if ("." in name or name == "log_duration") and not name.startswith(of_one)
    ]
    assert np.abs(same.vector[ratios]).max() < 0.1


def test_half_the_tempo_is_in_tempo_and_duration_and_hardly_in_the_posture() -> None:
    slow = compared(performed(), performed(tempo=0.5))
    assert slow.sequence[:, TEMPO].mean() < -0.3
    assert feature(slow, "log_duration") > 0.4
    assert np.abs(slow.sequence[:, DIFFERENCE]).mean() < 0.02


def test_the_other_side_is_taken_as_in_a_mirror_and_said_to_be() -> None:
    left, right = performed(side="left"), performed(side="right")
    results = {
        (shown, done): compared(left if shown else right, left if done else right)
        for shown in (True, False)
        for done in (True, False)
    }
    for result in results.values():
        np.testing.assert_allclose(result.sequence, results[True, True].sequence, atol=0.05)
    assert {pair: result.swapped for pair, result in results.items()} == {
        (True, True): False, (True, False): True, (False, True): False, (False, False): True,
    }  # fmt: skip


def test_an_arm_that_is_raised_less_far_is_seen_in_its_range() -> None:
    whole = performed()
    lowered = whole.positions.copy()
    for joint in ("left_elbow", "left_wrist"):
        lowered[:, INDEX[joint]] = lowered[:1, INDEX[joint]] + 0.3 * (lowered - lowered[:1])[:, INDEX[joint]]
    less = compared(whole, recording_of(whole.times, lowered))
    assert feature(less, "angle_range.left_shoulder") < -0.4
    assert abs(feature(less, "angle_range.right_shoulder")) < 0.1


def test_a_body_that_rises_less_is_seen_in_its_rise() -> None:
    whole = performed("heel_raise", "both")
    lower = whole.positions.copy()
    lower[..., 1] -= 0.5 * (lower[:, :1, 1] - lower[:1, :1, 1])
    assert feature(compared(whole, recording_of(whole.times, lower)), "range.rise") < -0.4


def test_an_arm_that_trembles_trembles_and_the_other_does_not() -> None:
    whole = performed()
    trembling = whole.positions.copy()
    waves = 0.015 * np.sin(2.0 * np.pi * 4.5 * whole.times)[:, None]
    trembling[:, INDEX["left_wrist"], :2] += waves
    found = compared(whole, recording_of(whole.times, trembling))
    assert feature(found, "tremor.left_arm") > 1.0
    assert feature(found, "tremor_over_noise.left_arm") > 1.0
    assert abs(feature(found, "tremor.right_arm")) < 0.1


def test_a_trunk_that_leans_as_the_arm_rises_leans_with_the_effort() -> None:
    whole = performed()
    leaning = whole.positions.copy()
    height = leaning[..., INDEX["left_wrist"], 1]
    effort = (height - height.min()) / np.ptp(height)
    for joint in ("thorax", "neck", "head", "left_shoulder", "right_shoulder", "left_elbow", "left_wrist"):
        leaning[:, INDEX[joint], 0] -= 0.1 * effort
    found = compared(whole, recording_of(whole.times, leaning))
    assert feature(found, "with_effort.trunk_sideways") < -0.1
    assert abs(feature(found, "midway.trunk_sideways")) < 0.5 * abs(feature(found, "with_effort.trunk_sideways"))


@pytest.mark.parametrize("hidden", [("left_ankle", "right_ankle"), ("left_wrist",)])
def test_joints_that_are_never_seen_leave_finite_numbers(hidden: tuple[str, ...]) -> None:
    whole = performed()
    positions = whole.positions.copy()
    positions[:, [INDEX[name] for name in hidden]] = np.nan
    found = compared(whole, recording_of(whole.times, positions))
    assert np.isfinite(found.sequence).all()
    assert np.isfinite(found.vector).all()


@pytest.mark.parametrize("hidden", [("left_ankle", "right_ankle"), ("left_elbow", "left_wrist"), ("spine",), ("head",)])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("tempo", [1.0, 0.6])
def test_a_joint_that_one_of_the_two_never_shows_is_no_difference(
    hidden: tuple[str, ...], side: str, tempo: float
) -> None:
    shown, done = performed("marching"), performed("marching", side, tempo)
    positions = done.positions.copy()
    positions[:, [INDEX[name] for name in hidden]] = np.nan
    part = recording_of(done.times, positions)
    for one, other, whole in ((shown, part, (shown, done)), (part, shown, (done, shown))):
        found, expected = compared(one, other), compared(*whole)
        np.testing.assert_allclose(found.sequence[:, DIFFERENCE], expected.sequence[:, DIFFERENCE], atol=0.05)
        assert np.sqrt(((found.vector - expected.vector) ** 2).mean()) < 0.05


@pytest.mark.parametrize(
    ("of_shown", "of_done"),
    [
        (["left_ankle", "right_ankle"], ["left_knee", "right_knee"]),
        (["left_knee", "right_knee"], ["left_ankle", "right_ankle"]),
        (["spine", "neck"], ["head"]),
    ],
)
def test_each_may_lack_what_the_others_missing_joint_hangs_on(of_shown: list[str], of_done: list[str]) -> None:
    shown, done = performed("marching"), performed("marching", tempo=0.8)
    parts = []
    for whole, hidden in ((shown, of_shown), (done, of_done)):
        positions = whole.positions.copy()
        positions[:, [INDEX[name] for name in hidden]] = np.nan
        parts.append(recording_of(whole.times, positions))
    found, expected = compared(*parts), compared(shown, done)
    np.testing.assert_allclose(found.sequence[:, DIFFERENCE], expected.sequence[:, DIFFERENCE], atol=0.1)
    assert np.sqrt(((found.vector - expected.vector) ** 2).mean()) < 0.1


@pytest.mark.parametrize("away", [slice(10), slice(-10, None)])
def test_a_joint_that_is_seen_only_while_the_pelvis_is_not_is_taken_as_never_seen(away: slice) -> None:
    shown, done = performed("marching"), performed("marching", tempo=0.8)
    ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
    never = done.positions.copy()
    never[:, ankles] = np.nan
    never[away] = np.nan
    glimpsed = never.copy()
    glimpsed[away, ankles] = done.positions[away, ankles]
    found, expected = (compared(shown, recording_of(done.times, each)) for each in (glimpsed, never))
    np.testing.assert_array_equal(found.vector, expected.vector)


def test_hips_that_are_not_seen_do_not_make_the_rise_less() -> None:
    whole = performed("heel_raise", "both")
    positions = whole.positions.copy()
    positions[:, [INDEX["left_hip"], INDEX["right_hip"]]] = np.nan
    assert abs(feature(compared(whole, recording_of(whole.times, positions)), "range.rise")) < 0.1
