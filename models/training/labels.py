"""What the network is to say of each example, head by head, and where that is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.examples import ORDINARY, SHUFFLED, UNKNOWN, Examples, scorable
from models.training.recipe import LEVELS, MOVEMENTS

Floats = NDArray[np.float32]

_ORDERLY, _SLIGHT = 3.5, 2.5
"""Grades: with none below the first a movement counts as correct, with any below the second as not."""
_UNWEIGHED = 0.05
"""What a grade counts beside its part's weight, so that those of no weight are learned too."""


def labels_of(examples: Examples) -> dict[str, tuple[Floats, Floats]]:
    """By head: labels (n, outputs), and weights (n, outputs), 0 where nothing is known.

    Levels are those of real sets, where there are any: the box takes virtual patients' from their grades. A set of two
    levels, right and wrong, teaches the first bound alone: it does not say how poor its wrong ones are. A grade that
    nobody gave teaches nothing: neither itself, nor that all was well, where its part counts.
    """
    ordinary = examples.kind == ORDINARY
    given = np.isfinite(examples.grades)
    worst = np.where(given.any(axis=(1, 2)), np.where(given, examples.grades, np.inf).min(axis=(1, 2)), 3.0)
    whole = scorable(examples.grades, examples.part_weights)
    levelled = examples.level != UNKNOWN
    fifths = np.where(examples.five != UNKNOWN, LEVELS - 1 - examples.five, UNKNOWN)
    level = examples.level if levelled.any() else fifths
    movement = np.where(examples.kind != SHUFFLED, examples.movement, UNKNOWN)
    above = np.arange(LEVELS - 1) + 0.5
    sets = np.unique(examples.source)
    fine = np.isin(examples.source, [name for name in sets if _is_fine(level, examples.source == name)])
    grades = np.nan_to_num(examples.grades).reshape(-1, 15, 1) > above
    parts = np.repeat(np.nan_to_num(examples.part_weights)[:, None] + _UNWEIGHED, 3, axis=1).reshape(-1, 15, 1)
    labels = {
        "correct": (
            np.where(levelled, examples.level == 0, worst > _ORDERLY)[:, None],
            (levelled | (whole & (worst > _ORDERLY)) | (worst < _SLIGHT))[:, None],
        ),
        "level": (level[:, None] > above, (level != UNKNOWN)[:, None] & (fine[:, None] | (above < 1.0))),
        "same": (ordinary[:, None], np.ones((len(examples), 1))),
        "movement": (movement[:, None] == np.arange(MOVEMENTS), (movement != UNKNOWN)[:, None]),
        "grades": (grades.reshape(len(examples), -1), given.reshape(-1, 15, 1) * np.broadcast_to(parts, grades.shape)),
    }
    found = {}
    for name, (label, known) in labels.items():
        weights = np.broadcast_to(known.reshape(len(examples), -1), label.shape)
        found[name] = (label.astype(np.float32), weights.astype(np.float32))
    return found


def _is_fine(level: NDArray[np.int8], rows: NDArray[np.bool_]) -> bool:
    """Whether these tell more than two levels apart."""
    return len(np.unique(level[rows & (level != UNKNOWN)])) > 2
