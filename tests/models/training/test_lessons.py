"""What the kernel machine adds to what there is to learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.blocks import BLOCKS
from models.training.examples import UNKNOWN, VIRTUAL_TRAINING, Examples
from models.training.folds import REAL
from models.training.lessons import Lessons, taught
from tests.models.training.conftest import layout_of, named_by_row, shares_of

MIXTURES = 30


def told(sets: Examples, seed: int = 1) -> Lessons:
    return taught(named_by_row(sets), sets, layout_of(sets), MIXTURES, seed)


def first_of(found: Lessons, count: int) -> NDArray[np.intp]:
    """Of each mixture the row whose weights it has."""
    return np.asarray(found.labels["correct"][1][count:, 0] - 1.0, np.intp)


def test_a_mixture_is_of_two_recordings_of_one_set_and_every_other_of_one_exercise(sets: Examples) -> None:
    count, levelled, found = len(sets), sets.level != UNKNOWN, told(sets)
    shares, first = shares_of(found.shown[0][count:]), first_of(found, count)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=2e-3)
    assert ((shares > 0).sum(axis=1) <= 2).all()
    share = shares[np.arange(len(first)), first]
    assert 0.39 < share.min() < 0.41
    assert abs(share.mean() - 0.7) < 0.04, "few of a row with itself"
    for name in REAL[:2]:
        rows, mixed = (sets.source == name) & levelled, found.source[count:] == name
        assert mixed.sum() == MIXTURES * rows.sum()
        assert not shares[mixed][:, ~rows].any()
        exercises = [set(sets.exercise[of > 0]) for of in shares[mixed]]
        assert all(len(of) == 1 for of in exercises[::2])
        assert any(len(of) == 2 for of in exercises[1::2])
    assert set(found.source[count:]) == set(REAL[:2])


def test_a_mixtures_numbers_are_noisy_and_its_weights_those_of_its_first(sets: Examples) -> None:
    count, lessons, found = len(sets), named_by_row(sets), told(sets)
    noise = found.shown[1][count:] - shares_of(found.shown[0][count:]) @ sets.vector
    assert abs(noise.std() - 0.2) < 0.01
    assert abs(noise.mean()) < 0.01
    for head in BLOCKS:
        np.testing.assert_array_equal(found.labels[head][1][count:], lessons.labels[head][1][first_of(found, count)])
    assert not found.kind[count:].any()


def test_the_rows_that_there_were_stand_first_and_all_arrays_are_as_long(sets: Examples) -> None:
    count, lessons, found = len(sets), named_by_row(sets), told(sets)
    assert set(found.labels) == set(BLOCKS)
    parts = (*found.shown, found.source, found.kind, *(part for pair in found.labels.values() for part in pair))
    assert {len(part) for part in parts} == {count + MIXTURES * int((sets.level != UNKNOWN).sum())}
    before = (*lessons.shown, lessons.source, lessons.kind, *(lessons.labels[head][1] for head in BLOCKS))
    after = (*found.shown, found.source, found.kind, *(found.labels[head][1] for head in BLOCKS))
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(new[:count], old)


def test_the_teacher_answers_for_real_recordings_and_virtual_patients_are_as_they_were(sets: Examples) -> None:
    count, lessons = len(sets), named_by_row(sets)
    found = taught(lessons, sets, layout_of(sets), MIXTURES, seed=1)
    answered = (sets.source != VIRTUAL_TRAINING) & (sets.level != UNKNOWN)
    for head in BLOCKS:
        before, after = lessons.labels[head][0], found.labels[head][0]
        assert np.isin(before, (0.0, 1.0)).all(), "what it was given is left alone"
        assert after.min() >= 0.0
        assert after.max() <= 1.0
        np.testing.assert_array_equal(after[:count][~answered], before[~answered])
        changed = after[:count][answered]
        assert ((changed > 0.0) & (changed < 1.0)).all()
        assert ((changed > 0.5) == (before[answered] > 0.5)).mean() > 0.9, "it was taught these"
        mixed, of = after[count:, 0], shares_of(found.shown[0][count:]) @ after[:count, 0]
        assert np.corrcoef(mixed, of)[0, 1] > 0.8, "of a mixture it says what is between the two"


def test_the_same_seed_gives_the_same(sets: Examples) -> None:
    first, again, other = (told(sets, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.shown[1], again.shown[1])
    np.testing.assert_array_equal(first.labels["level"][0], again.labels["level"][0])
    assert (first.shown[1] != other.shown[1]).any()
