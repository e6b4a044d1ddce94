"""Whoever is measured was never trained on, and it is the same persons for every system."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.baselines.problems import FIVE_FOLDS, REPETITIONS, SPLITS, WHOLE_SETS, Asked, problems
from models.training.baselines.runs import Task
from models.training.baselines.samples import OTHER_FAMILIES, VIRTUAL, Samples, whole_sets
from models.training.baselines.splits import folds, held_out

BY_PERSON = [split for split in SPLITS if "random" not in split]


@pytest.mark.parametrize("split", BY_PERSON)
@pytest.mark.parametrize("task", ["movement", "level", "level by movement"])
@pytest.mark.parametrize("given", [REPETITIONS, WHOLE_SETS])
def test_nobody_is_measured_who_was_trained_on(samples: Samples, split: str, task: Task, given: str) -> None:
    for problem in problems(samples, Asked(task, VIRTUAL, split, given)):
        for part in problem.measured:
            assert set(problem.training.person).isdisjoint(part.person)
            if task == "level by movement":
                assert set(part.exercise) == set(problem.training.exercise)
                assert len(set(part.exercise)) == 1


def test_only_a_split_at_random_measures_persons_that_were_trained_on(samples: Samples) -> None:
    (problem,) = problems(samples, Asked("movement", VIRTUAL, "70/30 at random"))
    assert not set(problem.training.person).isdisjoint(problem.measured[0].person)


@pytest.mark.parametrize(("share", "measured"), [(0.25, 3), (0.3, 4), (0.0, 1), (1.0, 1)])
def test_a_share_of_the_persons_is_held_out_and_never_all_or_none(
    samples: Samples, share: float, measured: int
) -> None:
    own = samples.of(VIRTUAL)
    assert len(set(own.person[held_out(own, share)])) == measured


def test_five_folds_measure_everyone_once(samples: Samples) -> None:
    assert (np.sum(list(folds(samples.of(VIRTUAL))), axis=0) == 1).all()


def test_persons_of_one_movement_each_are_dealt_evenly_to_both_sides(samples: Samples) -> None:
    own = samples.of(VIRTUAL)
    number = np.char.replace(own.person, f"{VIRTUAL}/", "").astype(int)
    only = own.where(own.exercise == np.array(["first", "second", "third"])[number % 3])
    measured = only.where(held_out(only, 0.25))
    assert sorted(set(measured.exercise)) == ["first", "second", "third"]


def test_sets_are_split_as_their_repetitions_are(samples: Samples) -> None:
    own = samples.of(VIRTUAL)
    sets = whole_sets(own)
    assert set(sets.person[held_out(sets, 0.3)]) == set(own.person[held_out(own, 0.3)])


def test_other_families_are_measured_once_and_never_trained_on(samples: Samples) -> None:
    for split in BY_PERSON:
        found = list(problems(samples, Asked("movement", VIRTUAL, split)))
        measured = [part for problem in found for part in problem.measured if part.source[0] == OTHER_FAMILIES]
        assert len(measured) == (0 if split == FIVE_FOLDS else 1)
        assert all(OTHER_FAMILIES not in problem.training.source for problem in found)


def test_a_whole_set_is_the_mean_and_the_spread_of_its_repetitions(samples: Samples) -> None:
    own = samples.of(VIRTUAL)
    sets = whole_sets(own)
    assert len(sets) == len(own) / 2
    of_first = own.features[own.set == sets.set[0]]
    np.testing.assert_allclose(sets.features[0], np.r_[of_first.mean(axis=0), of_first.std(axis=0)], rtol=1e-4)
