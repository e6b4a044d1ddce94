"""FineRehab's score: bounded, linear, rising with each grade, and refused where it would be made up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance.errors import NotScorableError
from appliance.exercises import load_exercises
from appliance.quality.parts import BODY_PARTS, DIMENSIONS
from appliance.quality.score import Grades, score
from appliance.quality.weights import Side, Weights

MOVEMENTS = [(exercise.id, side) for exercise in load_exercises().values() for side in exercise.sides]
GRADES = arrays(np.float64, (3, 5), elements=st.floats(0, 4))


def weights_of(exercise: str) -> Weights:
    weights = load_exercises()[exercise].assessment
    assert weights is not None
    return weights


@given(GRADES, st.sampled_from(MOVEMENTS))
def test_a_score_lies_between_its_grades(values: np.ndarray, movement: tuple[str, Side]) -> None:
    exercise, side = movement
    found = score(Grades(values), weights_of(exercise), side)
    assert 0 <= found.value <= 4
    assert values.min() - 1e-9 <= found.value <= values.max() + 1e-9
    assert all(0 <= own <= 4 for own in found.dimensions.values())


@given(GRADES, st.integers(0, 2), st.integers(0, 4), st.floats(0, 4), st.sampled_from(MOVEMENTS))
def test_a_better_grade_never_lowers_the_score(
    values: np.ndarray, row: int, column: int, grade: float, movement: tuple[str, Side]
) -> None:
    exercise, side = movement
    better = values.copy()
    better[row, column] = max(grade, values[row, column])
    before, after = (score(Grades(each), weights_of(exercise), side).value for each in (values, better))
    counts = weights_of(exercise).of_dimensions()[row] * weights_of(exercise).of_parts(side)[column]
    assert after - before == pytest.approx(counts * (better[row, column] - values[row, column]), abs=1e-8)


@given(GRADES, GRADES, st.floats(0, 1), st.sampled_from(MOVEMENTS))
def test_the_score_is_linear_in_the_grades(
    one: np.ndarray, other: np.ndarray, share: float, movement: tuple[str, Side]
) -> None:
    exercise, side = movement
    mixed, a, b = (
        score(Grades(values), weights_of(exercise), side).value
        for values in (share * one + (1 - share) * other, one, other)
    )
    assert mixed == pytest.approx(share * a + (1 - share) * b, abs=1e-8)


@pytest.mark.parametrize("grade", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("exercise", load_exercises())
def test_one_grade_throughout_is_the_score(exercise: str, grade: float) -> None:
    for side in load_exercises()[exercise].sides:
        found = score(Grades(np.full((3, 5), grade)), weights_of(exercise), side)
        assert found.value == grade
        assert set(found.dimensions) == set(DIMENSIONS)
        assert found.weights == weights_of(exercise).version


def test_the_score_is_the_weighted_sum() -> None:
    values = np.arange(15.0).reshape(3, 5) % 5
    weights = weights_of("seated_knee_extension")  # trunk 0.2, working leg 0.7, other leg 0.1; 0.4, 0.35, 0.25
    found = score(Grades(values), weights, "right")
    by_hand = [0.2 * row[0] + 0.1 * row[3] + 0.7 * row[4] for row in values]
    assert list(found.dimensions.values()) == pytest.approx(by_hand)
    assert found.value == pytest.approx(0.4 * by_hand[0] + 0.35 * by_hand[1] + 0.25 * by_hand[2])


def test_a_missing_grade_matters_only_where_it_counts() -> None:
    values = np.full((3, 5), 3.0)
    values[:, BODY_PARTS.index("left_arm")] = np.nan
    assert score(Grades(values), weights_of("squat"), "both").value == pytest.approx(3.0)
    values[2, BODY_PARTS.index("left_leg")] = np.nan
    with pytest.raises(NotScorableError, match="smoothness of left_leg counts in this movement and has no grade"):
        score(Grades(values), weights_of("squat"), "both")


@pytest.mark.parametrize("grade", [-0.1, 4.1, np.inf])
def test_a_grade_outside_the_scale_is_refused_by_its_place(grade: float) -> None:
    values = np.full((3, 5), 2.0)
    values[1, 2] = grade
    with pytest.raises(NotScorableError, match="correction of right_arm"):
        Grades(values)


def test_grades_of_another_shape_are_refused_and_given_ones_do_not_change() -> None:
    with pytest.raises(NotScorableError, match="3 x 5"):
        Grades(np.zeros((5, 3)))
    values = np.zeros((3, 5))
    grades = Grades(values)
    values[:] = 4.0
    assert not grades.values.any()
    with pytest.raises(ValueError, match="read-only"):
        grades.values[0, 0] = 1.0
