"""All sixteen movements are a person's: bones keep their length, feet stay where they stand, joints bend one way."""

import numpy as np
import pytest

from hal.virtual.body import RIGID, STANDARD_17
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import VirtualPatient, reference

EVERY = [(exercise, side) for exercise, movement in MOVEMENTS.items() for side in movement.sides]
JOINT = {name: index for index, name in enumerate(STANDARD_17)}
BONES = [
    ("neck", "head"),
    *((f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (
        ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))),
    ("left_hip", "right_hip"), ("pelvis", "spine"), ("spine", "thorax"),
]  # fmt: skip
UP, FRONT = 1, 2


def set_of(exercise, side, seed=None):
    """A patient (an instructor without a seed) in a set of three, its times, and where its joints are."""
    if seed is None:
        times, positions = reference(exercise, side, repetitions=3)
        return times, positions
    patient = VirtualPatient(seed)
    patient.rest(exercise, side, at_s=-10.0)
    times = np.arange(0.0, patient.perform(exercise, side, 3, at_s=0.0) + 1.0, 1 / 30)
    return times, patient.joints(times)


def at(positions, name):
    return positions[:, JOINT[name]]


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_bones_keep_their_length(exercise, side):
    for seed in (None, 1):
        _, positions = set_of(exercise, side, seed)
        for first, second in BONES:
            lengths = np.linalg.norm(at(positions, first) - at(positions, second), axis=1)
            assert 0.03 < lengths[0] < 0.6
            assert np.ptp(lengths) < 1e-9, (first, second)


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_no_knee_and_no_elbow_bends_backwards(exercise, side):
    for seed in range(3):
        patient = VirtualPatient(seed)
        patient.rest(exercise, side, at_s=-10.0)
        end = patient.perform(exercise, side, 4, at_s=0.0)
        turns = patient.pose(np.arange(0.0, end, 0.05)).rotations
        for limb in ("left", "right"):
            for upper, lower, way in (("thigh", "shank", 1.0), ("arm", "forearm", -1.0)):
                bent = (
                    np.swapaxes(turns[:, RIGID.index(f"{limb}_{upper}")], 1, 2)
                    @ turns[:, RIGID.index(f"{limb}_{lower}")]
                )
                angle = way * np.degrees(np.arctan2(bent[:, 2, 1], bent[:, 1, 1]))
                assert -1e-6 < angle.min() <= angle.max() < 160.0


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_nobody_sinks_through_the_floor_or_leaves_it(exercise, side):
    for seed in (None, 0, 1, 2):
        _, positions = set_of(exercise, side, seed)
        lowest = positions[:, :, UP].min(axis=1)
        assert lowest.min() > 0.01
        if MOVEMENTS[exercise].position != "seated":
            assert lowest.max() < 0.16


@pytest.mark.parametrize("exercise", [name for name, movement in MOVEMENTS.items() if movement.feet == "both"])
def test_standing_feet_stay_where_they_are(exercise):
    for seed in (None, 0, 1):
        _, positions = set_of(exercise, "", seed)
        for ankle in ("left_ankle", "right_ankle"):
            moved = np.ptp(at(positions, ankle), axis=0)
            assert moved.max() < (0.1 if exercise == "heel_raise" else 0.003)


@pytest.mark.parametrize(
    "exercise", ["hip_abduction", "marching", "seated_knee_extension", "supine_straight_leg_raise"]
)
def test_the_other_foot_stays_while_one_moves(exercise):
    for seed in (None, 0, 1):
        _, positions = set_of(exercise, "right", seed)
        assert np.ptp(at(positions, "left_ankle"), axis=0).max() < 0.003
        assert np.ptp(at(positions, "right_ankle"), axis=0).max() > 0.25


def test_a_squat_lowers_the_pelvis_and_a_heel_raise_lifts_pelvis_and_ankles():
    _, squat = set_of("squat", "both")
    drop = at(squat, "pelvis")[0, UP] - at(squat, "pelvis")[:, UP].min()
    assert 0.2 < drop < 0.5
    _, raised = set_of("heel_raise", "both")
    for joint in ("pelvis", "head", "left_ankle", "right_ankle"):
        lift = at(raised, joint)[:, UP].max() - at(raised, joint)[0, UP]
        assert 0.04 < lift < 0.12


def test_standing_up_ends_upright_over_the_feet():
    _, positions = set_of("sit_to_stand", "both")
    top = int(np.argmax(at(positions, "pelvis")[:, UP]))
    assert at(positions, "pelvis")[top, UP] - at(positions, "pelvis")[0, UP] > 0.3
    assert abs(at(positions, "head")[top, FRONT] - at(positions, "left_ankle")[top, FRONT]) < 0.15


@pytest.mark.parametrize("exercise", [name for name, movement in MOVEMENTS.items() if movement.position == "supine"])
def test_who_lies_on_the_back_lies_flat_with_the_head_away_from_the_camera(exercise):
    _, positions = set_of(exercise, "")
    resting = positions[0]
    knees = [JOINT["left_knee"], JOINT["right_knee"]]
    assert np.ptp(np.delete(resting, knees, axis=0)[:, UP]) < 0.15
    assert np.ptp(resting[:, FRONT]) > 1.0
    assert resting[JOINT["head"], FRONT] < resting[JOINT["pelvis"], FRONT] < resting[JOINT["left_ankle"], FRONT]
    assert resting[JOINT["left_shoulder"], 0] > resting[JOINT["right_shoulder"], 0]


@pytest.mark.parametrize("exercise", [name for name, movement in MOVEMENTS.items() if "left" in movement.sides])
def test_left_and_right_are_mirror_images(exercise):
    _, left = set_of(exercise, "left")
    _, right = set_of(exercise, "right")
    swap = [JOINT[name.replace("left", "*").replace("right", "left").replace("*", "right")] for name in STANDARD_17]
    np.testing.assert_allclose(left, right[:, swap] * (-1.0, 1.0, 1.0), atol=1e-9)


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_a_set_begins_and_ends_at_rest_and_goes_as_often_as_asked(exercise, side):
    times, positions = set_of(exercise, side)
    away = np.linalg.norm(positions - positions[0], axis=2).max(axis=1)
    assert away[times < 1.0].max() < 1e-9
    assert away[-15:].max() < 1e-9
    out = away > 0.5 * away.max()
    assert np.count_nonzero(np.diff(out.astype(int)) == 1) == 3
