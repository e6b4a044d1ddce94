"""Whoever is measured had no part in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.training.examples import FINEREHAB, ORDINARY, VIRTUAL_TESTS, Examples, joined
from models.training.folds import REAL, Fold, folds_named
from models.training.measures import calibration_error, platt


def some(source: str, persons: int, exercises: int) -> Examples:
    """Every person does every exercise, compared with themselves and with the next person."""
    rows = [(p, r, e) for p in range(persons) for r in (p, (p + 1) % persons) for e in range(exercises)]
    count = len(rows)
    return Examples(
        sequence=np.zeros((count, 2, 3), np.float16),
        vector=np.zeros((count, 4), np.float32),
        source=np.full(count, source),
        exercise=np.array([f"{source}/{e}" for _, _, e in rows]),
        reference_exercise=np.array([f"{source}/{e}" for _, _, e in rows]),
        person=np.array([f"{source}/{p}" for p, _, _ in rows]),
        reference_person=np.array([f"{source}/{r}" for _, r, _ in rows]),
        recording=np.array([str(p) for p, _, _ in rows]),
        level=np.zeros(count, np.int8),
        five=np.full(count, -1, np.int8),
        grades=np.full((count, 3, 5), np.nan, np.float32),
        part_weights=np.full((count, 5), np.nan, np.float32),
        movement=np.zeros(count, np.int8),
        kind=np.full(count, ORDINARY, np.int8),
        measured=np.array([p != r for p, r, _ in rows]),
    )


@pytest.fixture(scope="module")
def examples() -> Examples:
    return joined([some(REAL[0], 6, 3), some(REAL[1], 8, 2), some("virtual", 12, 2), some(VIRTUAL_TESTS, 4, 2)])


def test_no_fold_trains_on_the_persons_and_movements_that_it_measures(examples: Examples) -> None:
    for fold in folds_named("all", examples):
        training, test = examples.where(fold.training(examples)), examples.where(fold.test(examples))
        seen = set(training.person) | set(training.reference_person)
        assert seen.isdisjoint(test.person), fold.name
        assert VIRTUAL_TESTS not in training.source, fold.name
        if fold.exercises:
            assert set(training.exercise).isdisjoint(test.exercise), fold.name


@pytest.mark.parametrize("kind", ["persons", "movement"])
def test_every_real_person_and_movement_is_measured_exactly_once(examples: Examples, kind: str) -> None:
    counts = np.zeros(len(examples), int)
    for fold in folds_named("all", examples):
        if fold.name.startswith(kind):
            counts += fold.test(examples)
    real = np.isin(examples.source, REAL)
    np.testing.assert_array_equal(counts[real], examples.measured[real].astype(int))


def test_the_shipped_one_trains_on_everybody_but_the_virtual_tests(examples: Examples) -> None:
    assert (Fold("shipped").training(examples) == (examples.source != VIRTUAL_TESTS)).all()


def test_grades_are_measured_with_the_shipped_one_and_on_whom_finerehab_graded(examples: Examples) -> None:
    """A network for grades takes most of a fold's time to train."""
    assert [fold.name for fold in folds_named("all", examples) if fold.measures_grades] == ["shipped"]
    with_it = joined([examples, some(FINEREHAB, 5, 2)])
    named = [fold.name for fold in folds_named("all", with_it) if fold.measures_grades]
    assert named == ["shipped", *(f"persons_{number}" for number in range(1, 6))]


def test_examples_survive_being_stored(examples: Examples, tmp_path: Path) -> None:
    examples.save(tmp_path / "some.npz")
    assert (Examples.load(tmp_path / "some.npz").person == examples.person).all()


def test_logits_that_are_too_sure_are_calibrated() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, 4000)
    correct = rng.random(4000) < 1.0 / (1.0 + np.exp(-logits))
    slope, offset = platt(4.0 * logits + 1.0, correct)
    before, after = (1.0 / (1.0 + np.exp(-x)) for x in (4.0 * logits + 1.0, slope * (4.0 * logits + 1.0) + offset))
    assert calibration_error(before, correct) > 0.1
    assert calibration_error(after, correct) < 0.03
