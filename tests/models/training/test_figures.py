"""Every figure is of what was measured: right answers give the best one, wrong ones the worst, no data gives none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.exercises import exercise_by_id
from appliance.quality.levels import Distribution
from appliance.quality.parts import DIMENSIONS
from appliance.quality.score import FineRehabScore, Grades, score
from models.training.examples import (
    FINEREHAB,
    FOREIGN,
    ORDINARY,
    UNKNOWN,
    VIRTUAL_TESTS,
    VIRTUAL_TRAINING,
    Examples,
    joined,
)
from models.training.figures import Figure, figures
from models.training.finerehab_figures import finerehab_figures
from models.training.folds import REAL, SHIPPED, Fold
from models.training.outcomes import Outcomes
from models.training.virtual import distribution_over, levelled

EXERCISES = ("squat", "sit_to_stand")
COUNT = 64
SURE = 12.0
NOT_OF_BEING_RIGHT = {
    "UI-PRMD: AUC of float and int8 differ, the worst fold",
    "Expected calibration error of quality, real sets",
    "`other` or `not sure`: ordinary persons",
}
"""Even one that is wrong can be as good before conversion, know how often it is wrong, and know everybody."""


def some(source: str, seed: int) -> Examples:
    """Every fourth of the virtual ones does another of the sixteen; real ones have levels in place of grades."""
    rng = np.random.default_rng(seed)
    real = source in REAL
    numbers = np.arange(COUNT)
    kind = np.where((numbers % 4 == 3) & (not real), FOREIGN, ORDINARY)
    ordinary = kind == ORDINARY
    persons = np.array([f"{source}/{number % 8}" for number in numbers])
    level = numbers // 2 % (2 if source == REAL[0] else 3)
    grades = rng.integers(0, 5, (COUNT, 3, 5)).astype(np.float32)
    done = np.array([f"{source}/{number % 2}" if real else EXERCISES[number % 2] for number in numbers])
    examples = Examples(
        sequence=np.zeros((COUNT, 2, 3), np.float16),
        vector=rng.normal(size=(COUNT, 6)).astype(np.float32),
        source=np.full(COUNT, source),
        exercise=done,
        reference_exercise=done,
        person=persons,
        reference_person=persons,
        recording=numbers.astype(str),
        level=(level if real else np.full(COUNT, UNKNOWN)).astype(np.int8),
        five=np.full(COUNT, UNKNOWN, np.int8),
        grades=np.where((ordinary & (not real))[:, None, None], grades, np.float32(np.nan)),
        part_weights=np.array([part_weights(name) for name in EXERCISES], np.float32)[numbers % 2],
        movement=(1 + numbers % 16).astype(np.int8),
        kind=kind.astype(np.int8),
        measured=np.ones(COUNT, np.bool_),
    )
    return replace(examples, five=levelled(examples, examples.grades.astype(np.float64), FIFTHS))


def part_weights(exercise: str) -> NDArray[np.float64]:
    weights = exercise_by_id(exercise).assessment
    assert weights is not None
    return weights.of_parts("both")


def fifths() -> Distribution:
    """Of grades at random."""
    rng = np.random.default_rng(5)
    scores: dict[str, list[FineRehabScore]] = {}
    for name in EXERCISES:
        weights = exercise_by_id(name).assessment
        assert weights is not None
        grades = rng.integers(0, 5, (60, 3, 5)).astype(np.float64)
        scores[name] = [score(Grades(each), weights, "both") for each in grades]
    return distribution_over([scores])


FIFTHS = fifths()


def outcomes(examples: Examples, fold: Fold, *, right: bool = True) -> Outcomes:
    """Of a network that is sure, and right in everything or wrong in everything."""
    sign = SURE if right else -SURE
    level = np.where(examples.level != UNKNOWN, examples.level, 4 - examples.five) % 5
    above = np.arange(4) + 0.5
    graded = np.nan_to_num(examples.grades).reshape(-1, 15, 1) > above
    heads = {
        "correct": sign * np.where(examples.level == 0, 1.0, -1.0)[:, None],
        "same": sign * np.where(examples.kind == ORDINARY, 1.0, -1.0)[:, None],
        "level": sign * np.where(level[:, None] > above, 1.0, -1.0),
        "grades": sign * np.where(graded, 1.0, -1.0).reshape(len(examples), -1),
        "movement": sign * np.eye(17)[examples.movement],
    }
    return Outcomes(fold, examples, heads, heads, np.zeros(len(examples)))


def held_out(sources: tuple[str, ...], *, right: bool) -> tuple[Examples, list[Outcomes]]:
    """All examples, and two folds that leave out half of the persons each."""
    tests = some(VIRTUAL_TESTS, 1)
    training = joined([some(source, 0) for source in (VIRTUAL_TRAINING, *sources)])
    persons = []
    for half in range(2):
        left_out = tuple(f"{source}/{number}" for source in sources for number in range(half, 8, 2))
        rows = np.isin(training.person, left_out)
        persons.append(outcomes(joined([training.where(rows), tests]), Fold(f"persons_{half}", left_out), right=right))
    return training, persons


def found(sources: tuple[str, ...], *, right: bool) -> dict[str, tuple[float, str]]:
    training, persons = held_out(sources, right=right)
    made = figures(outcomes(some(VIRTUAL_TESTS, 1), SHIPPED, right=right), persons, [], training, FIFTHS)
    return {figure.name: (figure.value, figure.target) for figure in made if figure.target}


def test_a_network_that_is_right_in_everything_has_the_best_figures() -> None:
    made = found(REAL, right=True)
    assert len(made) == 11
    for name, (value, target) in made.items():
        assert value == pytest.approx(1.0 if target.startswith(">=") else 0.0, abs=0.03), name


def test_a_network_that_is_wrong_in_everything_misses_the_targets() -> None:
    made = found(REAL, right=False)
    for name, (value, target) in made.items():
        sign, limit = target.split()
        missed = value < float(limit) if sign == ">=" else value > float(limit)
        assert missed != (name in NOT_OF_BEING_RIGHT), name


@pytest.mark.parametrize("at_hand", [(), REAL[:1], REAL[1:]])
def test_nothing_is_said_of_a_set_that_was_not_at_hand(at_hand: tuple[str, ...]) -> None:
    made = found(at_hand, right=True)
    said = " ".join(made)
    assert ("UI-PRMD" in said, "WMFT" in said) == (REAL[0] in at_hand, REAL[1] in at_hand)
    assert ("real sets" in said) == bool(at_hand)
    assert all(np.isfinite(value) for value, _ in made.values())


def of_finerehab(training: Examples, persons: list[Outcomes]) -> dict[str, Figure]:
    made = finerehab_figures(persons, training, FIFTHS)
    return {figure.name.removeprefix("FineRehab, unseen persons: "): figure for figure in made}


def without_some(of: Outcomes, step: int) -> Outcomes:
    """Every so many of FineRehab's lack a grade of the trunk, and so a level."""
    rows = np.flatnonzero(of.examples.source == FINEREHAB)[::step]
    grades, five = of.examples.grades.copy(), of.examples.five.copy()
    grades[rows, 0, 0], five[rows] = np.nan, UNKNOWN
    return replace(of, examples=replace(of.examples, grades=grades, five=five))


@pytest.mark.parametrize("right", [True, False])
def test_finerehabs_subjects_have_the_figures_of_virtual_patients(right: bool) -> None:
    made = of_finerehab(*held_out((FINEREHAB, *REAL), right=right))
    assert {figure.persons for figure in made.values()} == {"0 2 4 6; 1 3 5 7", ""}
    assert (made["movement recognised"].value == 1.0) == right
    assert (made["five levels, accuracy"].value == 1.0) == right
    for dimension in DIMENSIONS:
        assert (made[f"{dimension}, mean absolute error"].value < 1e-6) == right


def test_what_of_finerehab_is_not_graded_in_full_has_no_part_in_its_figures() -> None:
    training, persons = held_out((FINEREHAB,), right=True)
    some_of_it = of_finerehab(training, [without_some(fold, 3) for fold in persons])
    assert some_of_it["five levels, accuracy"].value == 1.0
    assert some_of_it["completeness, mean absolute error"].value < 1e-6
    nothing = of_finerehab(training, [without_some(fold, 1) for fold in persons])
    assert list(nothing) == ["movement recognised", "- nearest neighbour"]


@pytest.mark.parametrize("at_hand", [(), REAL])
def test_nothing_is_said_of_finerehab_where_it_was_not_at_hand(at_hand: tuple[str, ...]) -> None:
    assert of_finerehab(*held_out(at_hand, right=True)) == {}


def test_the_neighbour_is_asked_about_the_same_persons() -> None:
    """Among those who do another movement than asked, too: then only these are far from all that was trained on."""
    training, tests = some(VIRTUAL_TRAINING, 0), some(VIRTUAL_TESTS, 1)
    vector = np.where((training.kind == ORDINARY)[:, None], training.vector, 50.0 + training.movement[:, None])
    training = replace(training, vector=vector.astype(np.float32))
    tests = replace(tests, vector=training.vector)
    made = figures(outcomes(tests, SHIPPED), [], [], training, FIFTHS)
    names = [figure.name for figure in made]
    assert made[names.index("Virtual: movement recognised") + 1].value == 1.0
