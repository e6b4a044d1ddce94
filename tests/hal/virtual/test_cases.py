"""Labelled cases: reproducible, of families that share nothing, as a tracker would see them."""

from collections import Counter

import numpy as np
import pytest

from hal.errors import HalError
from hal.virtual.cases import FAMILIES, OTHER, cases
from hal.virtual.impairment import BEST, gradable
from hal.virtual.movements import MOVEMENTS


@pytest.fixture(scope="module", params=FAMILIES)
def some(request):
    return list(cases(request.param, 110, seed=3))


def test_a_case_is_the_same_whatever_the_count_and_another_for_another_seed():
    first, second = list(cases("training", 3, 0)), list(cases("training", 6, 0))[:3]
    for one, other in zip(first, second, strict=True):
        assert one.exercise == other.exercise
        np.testing.assert_array_equal(one.performed.positions, other.performed.positions)
        np.testing.assert_array_equal(one.reference.positions, other.reference.positions)
    assert not np.array_equal(first[0].performed.times, next(cases("training", 1, 1)).performed.times)


def test_recordings_are_well_formed(some):
    for case in some:
        for seen in (case.reference, case.performed):
            frames = len(seen.times)
            assert seen.positions.shape == (frames, 17, 3)
            assert seen.confidence.shape == (frames, 17)
            assert (np.diff(seen.times) > 0).all()
            unseen = np.isnan(seen.positions).any(axis=2)
            np.testing.assert_array_equal(unseen, seen.confidence == 0.0)
            assert unseen.mean() < 0.5
            assert seen.bounds.shape == (1, 2)
            assert 0.0 < seen.bounds[0, 0] < seen.bounds[0, 1] <= seen.times[-1] + 0.1


def test_labels_fit_the_movement(some):
    for case in some:
        if case.kind == "asked":
            assert case.movement == case.exercise
            assert case.grades.min() >= 0
            assert (case.grades[~gradable(case.exercise, case.side)] == BEST).all()
        else:
            assert (case.grades == -1).all()
            assert (case.movement == OTHER) == (case.kind != "mistaken")
            assert case.movement != case.exercise


def test_every_exercise_and_every_kind_comes(some):
    assert {case.exercise for case in some} == set(MOVEMENTS)
    kinds = Counter(case.kind for case in some)
    assert set(kinds) == {"asked", "mistaken", "foreign", "shuffled"}
    assert 0.1 < 1.0 - kinds["asked"] / len(some) < 0.3


def test_families_share_neither_people_nor_trackers_nor_kinds_of_noise_nor_foreign_movements():
    training, test = FAMILIES["training"], FAMILIES["test"]
    assert not set(training.people) & set(test.people)
    assert not set(training.trackers) & set(test.trackers)
    for noise in ("fast", "slow"):
        kinds = [{getattr(tracker, noise) for tracker in family.trackers.values()} for family in (training, test)]
        assert not kinds[0] & kinds[1]
    assert not set(training.foreign) & set(test.foreign)


def test_people_without_a_fault_differ_widely():
    flawless = [c for c in cases("training", 180, 7, strange=0.0) if (c.grades == BEST).all()]
    assert len(flawless) > 25
    lasts = np.array([np.ptp(c.performed.bounds[0]) / np.ptp(c.reference.bounds[0]) for c in flawless])
    assert lasts.min() < 0.75
    assert lasts.max() > 1.6
    still = [c.performed.positions[:5] for c in flawless if MOVEMENTS[c.exercise].position == "standing"]
    statures = [np.nanmedian(p[:, 4, 1]) for p in still]
    assert np.ptp(statures) > 0.1


def test_as_many_repetitions_as_asked_for():
    for case in cases("test", 12, 0, repetitions=(2, 4)):
        assert 2 <= len(case.performed.bounds) == len(case.reference.bounds) <= 4
        assert (np.diff(case.performed.bounds.ravel()) > 0).all()


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(HalError, match="validation"):
        next(cases("validation", 1, 0))
