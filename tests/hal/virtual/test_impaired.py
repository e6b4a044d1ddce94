"""A grade is seen in the motion of every movement: less range, a larger compensation, a rougher course; and what does
so stays a body that stands on its feet."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from hal.errors import HalError
from hal.virtual.body import STANDARD_17
from hal.virtual.impaired import impair
from hal.virtual.impairment import (
    BEST,
    DIMENSIONS,
    RANGE_DONE,
    SEVERITY,
    Impairment,
    drawn,
    gradable,
    impairment_of,
    linked,
)
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import VirtualPatient
from hal.virtual.performance import INSTRUCTOR, perform
from hal.virtual.roles import CHAINS, PART_OF_JOINT, PARTS

RATE_HZ = 60.0
EVERY = [(exercise, movement.sides[0]) for exercise, movement in MOVEMENTS.items()]
EVERY += [("supine_shoulder_flexion", "both"), ("seated_knee_extension", "both")]
JOINT = {name: index for index, name in enumerate(STANDARD_17)}
BONES = [
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]
GRADES = range(BEST, -1, -1)


def graded(exercise, side, dimension, part, grade):
    """That grade for the part, and for those that share it."""
    together = dict(linked(exercise)).get(dimension, ())
    return Impairment(**{dimension: dict.fromkeys(together if part in together else (part,), grade)})


@cache
def performing(exercise, side, seed, dimension="completeness", part="trunk", grade=BEST):
    """(n, 17, 3): one repetition of an instructor with that impairment alone."""
    patient = VirtualPatient(seed, 1.72, INSTRUCTOR)
    patient.rest(exercise, side, at_s=-10.0)
    impairment = graded(exercise, side, dimension, part, grade)
    end = patient.perform(exercise, side, 1, at_s=0.0, impairment=impairment)
    return patient.joints(np.arange(0.9, end + 0.1, 1 / RATE_HZ))


def far_joint(positions, exercise, part):
    """The path (n, 3) of what a part moves: its end, or the pelvis that both legs carry."""
    if exercise in CHAINS and part.endswith("leg"):
        return positions[:, JOINT["pelvis"]]
    far, near = {"arm": ("wrist", "thorax"), "leg": ("ankle", "pelvis"), "trunk": ("neck", "pelvis")}[
        part.split("_")[-1]
    ]
    side = part.split("_")[0]
    return positions[:, JOINT[far if part == "trunk" else f"{side}_{far}"]] - positions[:, JOINT[near]]


def parts_of(exercise, side, dimension):
    return [part for part, can in zip(PARTS, gradable(exercise, side)[DIMENSIONS.index(dimension)], strict=True) if can]


def excursion(path):
    return np.linalg.norm(path - path[0], axis=1).max()


def ripple(path):
    """Metres, root mean square, by which a path leaves its own mean over a third of a second."""
    width = round(RATE_HZ / 3)
    mean = np.stack([np.convolve(axis, np.ones(width) / width, "valid") for axis in path.T], axis=1)
    return np.sqrt(((path[width // 2 :][: len(mean)] - mean) ** 2).sum(axis=1).mean())


def jerk(path):
    """Logarithm of the squared jerk's integral, without dimension by duration and peak speed (Hogan & Sternad 2009)."""
    speed = np.linalg.norm(np.diff(path, axis=0), axis=1).max() * RATE_HZ
    third = np.diff(path, 3, axis=0) * RATE_HZ**3
    seconds = len(path) / RATE_HZ
    return np.log((third**2).sum() / RATE_HZ * seconds**3 / speed**2)


def trunk_angles(positions):
    """(n, 3, 3) of the trunk: to the left, up, and to the front of the chest."""
    up = positions[:, JOINT["neck"]] - positions[:, JOINT["pelvis"]]
    left = positions[:, JOINT["left_shoulder"]] - positions[:, JOINT["right_shoulder"]]
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    left -= (left * up).sum(axis=1, keepdims=True) * up
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return np.stack([left, up, np.cross(left, up)], axis=1)


def turned_deg(first, second):
    cosine = ((first * second).sum(axis=(1, 2)) - 1.0) / 2.0
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).max()


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_range_falls_with_completeness(exercise, side):
    for part in parts_of(exercise, side, "completeness"):
        for seed in (0, 1):
            ranges = [
                excursion(far_joint(performing(exercise, side, seed, "completeness", part, grade), exercise, part))
                for grade in GRADES
            ]
            assert (np.diff(ranges) < -0.06 * ranges[0]).all(), (part, ranges)
            assert ranges[-1] < 0.35 * ranges[0]


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_compensation_grows_as_correction_falls(exercise, side):
    for part in parts_of(exercise, side, "correction"):
        for seed in (0, 1):
            best, *others = (performing(exercise, side, seed, "correction", part, grade) for grade in GRADES)
            own = np.isin(PART_OF_JOINT, PARTS.index(part))
            away = [np.linalg.norm((other - best)[:, own], axis=2).max() for other in others]
            assert (np.diff([0.0, *away]) > 0.005).all(), (part, away)
            assert away[-1] > 0.05


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_the_trunk_leans_or_turns_further_as_its_correction_falls(exercise, side):
    for seed in (0, 1, 2):
        best, *others = (
            trunk_angles(performing(exercise, side, seed, "correction", "trunk", grade)) for grade in GRADES
        )
        angles = [turned_deg(best, other) for other in others]
        assert (np.diff([0.0, *angles]) > 1.0).all(), angles


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_the_course_gets_rougher_as_smoothness_falls(exercise, side):
    for part in parts_of(exercise, side, "smoothness"):
        paths = [
            [
                far_joint(performing(exercise, side, seed, "smoothness", part, grade), exercise, part)
                for seed in range(5)
            ]
            for grade in GRADES
        ]
        ripples = [np.mean([ripple(path) for path in of_grade]) for of_grade in paths]
        jerks = [np.mean([jerk(path) for path in of_grade]) for of_grade in paths]
        assert (np.diff(ripples) > 0.0004).all(), (part, ripples)
        assert (np.diff(jerks) > 0.1).all(), (part, jerks)


@pytest.mark.parametrize(("exercise", "side"), EVERY)
def test_whatever_is_wrong_bones_keep_their_length_feet_stand_and_nobody_sinks_into_the_floor(exercise, side):
    worst = impairment_of(np.where(gradable(exercise, side), 0, BEST).astype(np.int8))
    rng = np.random.default_rng(0)
    for seed, impairment in enumerate([worst, worst, *(drawn(exercise, side, rng) for _ in range(4))]):
        patient = VirtualPatient(seed)
        patient.rest(exercise, side, at_s=-10.0)
        end = patient.perform(exercise, side, 2, at_s=0.0, impairment=impairment)
        positions = patient.joints(np.arange(0.0, end, 1 / 30))
        assert positions[..., 1].min() > 0.0, seed
        for first, second in BONES:
            lengths = np.linalg.norm(positions[:, JOINT[first]] - positions[:, JOINT[second]], axis=1)
            assert np.ptp(lengths) < 1e-9, (first, second)
        if MOVEMENTS[exercise].feet == "both" and exercise != "heel_raise" and MOVEMENTS[exercise].position != "seated":
            for ankle in ("left_ankle", "right_ankle"):
                assert np.ptp(positions[:, JOINT[ankle]], axis=0).max() < 0.01


def test_the_share_of_the_range_is_the_grades():
    rng = np.random.default_rng(1)
    for grade, (low, high) in enumerate(RANGE_DONE):
        for _ in range(5):
            meant = perform("supine_elbow_flexion", "left", 3, 0.0, INSTRUCTOR, np.zeros((2, 28)), rng)
            done = impair(
                meant,
                "supine_elbow_flexion",
                graded("supine_elbow_flexion", "left", "completeness", "left_arm", grade),
                rng,
            )
            flexion = done.angles(np.arange(0.0, done.end_s, 0.01))[:, 10]
            share = np.ptp(flexion) / np.ptp(meant.angles(np.arange(0.0, done.end_s, 0.01))[:, 10])
            assert low - 0.03 < share < high + 0.03


def test_a_part_graded_four_moves_as_well_beside_one_graded_zero():
    one = Impairment({"left_arm": 0}, {"left_arm": 0}, {"left_arm": 0})
    both = []
    for impairment in (Impairment(), one):
        patient = VirtualPatient(2, 1.7, INSTRUCTOR)
        patient.rest("shoulder_abduction", "both", at_s=-10.0)
        end = patient.perform("shoulder_abduction", "both", 1, at_s=0.0, impairment=impairment)
        positions = patient.joints(np.arange(0.0, end, 0.05))
        both.append(positions[:, [JOINT["right_elbow"], JOINT["right_wrist"]]])
    np.testing.assert_allclose(both[0], both[1], atol=1e-9)


def test_grades_do_not_touch_so_that_a_figure_has_one_grade():
    for bands in (RANGE_DONE, SEVERITY[::-1]):
        assert all(before[1] + 0.05 < after[0] for before, after in pairwise(bands))


def test_patients_drawn_at_random_have_every_grade_of_every_dimension_where_it_can_be():
    rng = np.random.default_rng(0)
    for exercise, side in EVERY:
        grades = np.stack([drawn(exercise, side, rng).grades() for _ in range(120)])
        possible = gradable(exercise, side)
        assert (grades[:, ~possible] == BEST).all()
        for row in range(len(DIMENSIONS)):
            assert set(np.unique(grades[:, row, possible[row]])) == set(range(BEST + 1))


@pytest.mark.parametrize(
    ("impairment", "exercise", "says"),
    [
        (Impairment(completeness={"left_leg": 2}), "seated_shoulder_flexion", "left_leg"),
        (Impairment(smoothness={"left_leg": 2}), "squat", "left_leg and right_leg"),
        (Impairment(correction={"left_leg": 2}), "shoulder_abduction", "left_leg"),
    ],
)
def test_what_plays_no_part_cannot_be_impaired(impairment, exercise, says):
    with pytest.raises(HalError, match=says):
        VirtualPatient().perform(exercise, "both", 1, 0.0, impairment=impairment)


@pytest.mark.parametrize("wrong", [{"tail": 3}, {"trunk": 5}, {"trunk": -1}])
def test_an_unknown_part_or_grade_is_refused(wrong):
    with pytest.raises(HalError, match="grade"):
        Impairment(correction=wrong)
