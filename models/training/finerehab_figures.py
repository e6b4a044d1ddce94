"""How well unseen subjects of FineRehab are judged, by the figures that virtual patients have; none without that set.

They have no targets: nothing was ever measured on it. The nearest neighbour is one of all the graded examples that the
same fold trained on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from appliance.quality.levels import Distribution
from appliance.quality.parts import DIMENSIONS
from models.training.examples import FINEREHAB, ORDINARY, UNKNOWN, Examples, joined, scorable
from models.training.figures import Figure, dimensions_of, grades_of, nearest_to, persons_of
from models.training.measures import shares
from models.training.outcomes import Outcomes
from models.training.virtual import levelled


def finerehab_figures(persons: list[Outcomes], training: Examples, fifths: Distribution) -> Iterator[Figure]:
    """persons: the folds of persons left out; may be empty. training: all examples. fifths: where levels come from."""
    rows = [(fold, (fold.examples.source == FINEREHAB) & (fold.examples.kind == ORDINARY)) for fold in persons]
    folds = [(fold, its) for fold, its in rows if its.any()]
    if not folds:
        return
    cuts = joined([fold.examples.where(its) for fold, its in folds])
    near = joined([_nearest(fold.examples.where(its), fold, training) for fold, its in folds])
    movement = np.concatenate([fold.outputs["movement"][its].argmax(axis=1) for fold, its in folds])
    grades = np.concatenate([grades_of(fold)[its] for fold, its in folds])
    whom = persons_of(persons, (FINEREHAB,))

    ours, beside = (float((each == cuts.movement).mean()) for each in (movement, near.movement))
    by = shares(movement == cuts.movement, cuts.exercise)
    yield Figure("FineRehab, unseen persons: movement recognised", ours, "", by, whom)
    yield Figure("- nearest neighbour", beside)
    whole = scorable(cuts.grades, cuts.part_weights)
    said, true, near_ones = (
        dimensions_of(np.nan_to_num(each[whole]), cuts.part_weights[whole])
        for each in (grades, cuts.grades, near.grades)
    )
    for index, name in enumerate(DIMENSIONS if whole.any() else ()):
        ours, beside = (float(np.abs(each - true)[:, index].mean()) for each in (said, near_ones))
        yield Figure(f"FineRehab, unseen persons: {name}, mean absolute error", ours, "", None, whom)
        yield Figure("- nearest neighbour", beside)
    known = cuts.five != UNKNOWN
    if known.any():
        off, off_beside = (np.abs(each - cuts.five)[known] for each in (levelled(cuts, grades, fifths), near.five))
        yield Figure("FineRehab, unseen persons: five levels, accuracy", float((off == 0).mean()), "", None, whom)
        yield Figure("- right or next to it", float((off <= 1).mean()))
        yield Figure("- nearest neighbour", float((off_beside == 0).mean()))


def _nearest(cuts: Examples, fold: Outcomes, training: Examples) -> Examples:
    """To each cut one."""
    graded = (training.kind == ORDINARY) & scorable(training.grades, training.part_weights)
    known = training.where(fold.fold.training(training) & graded)
    return known.where(nearest_to(cuts.vector, known.vector))
