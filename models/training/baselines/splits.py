"""Which persons are learned from and which are measured, the same for every system."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.training.baselines.samples import Samples

SEED = 5
FOLDS = 5
HOLD_OUT, THREE_TO_ONE = 0.3, 0.25
"""Shares of the persons that are measured: 70/30, and 3:1 by subject."""
Rows = NDArray[np.bool_]


def held_out(samples: Samples, share: float) -> Rows:
    """(n,) rows of the persons measured; at least one person is, and one is not."""
    persons = _in_order(samples)
    count = len(persons)
    wanted = np.floor(np.arange(count + 1) * share + 0.5).astype(int)
    chosen = persons[np.diff(wanted) > 0] if 0 < wanted[-1] < count else persons[:1]
    return np.isin(samples.person, chosen)


def folds(samples: Samples, count: int = FOLDS) -> Iterator[Rows]:
    """For each fold, (n,) rows of the persons measured; every person is measured once."""
    persons = _in_order(samples)
    for index in range(min(count, len(persons))):
        yield np.isin(samples.person, persons[index::count])


def at_random(samples: Samples, share: float) -> Rows:
    """(n,) rows measured, whoever they are of: persons are on both sides, which flatters a system."""
    return np.random.default_rng(SEED).random(len(samples)) < share


def _in_order(samples: Samples) -> NDArray[np.str_]:
    """Persons, those of one movement beside each other and else at random, so that every group has of each."""
    by_name = np.lexsort((samples.exercise, samples.person))
    persons, first = np.unique(samples.person[by_name], return_index=True)
    exercise = samples.exercise[by_name][first]
    order = np.random.default_rng(SEED).permutation(len(persons))
    return np.asarray(persons[order][np.argsort(exercise[order], kind="stable")])
