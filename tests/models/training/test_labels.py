"""What each data set teaches about levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.training.examples import UNKNOWN, joined
from models.training.folds import REAL
from models.training.labels import labels_of
from tests.models.training.test_folds import some


def test_a_set_of_right_and_wrong_does_not_say_how_poor_its_wrong_ones_are() -> None:
    two, three = some(REAL[0], 6, 1), some(REAL[1], 6, 1)
    two, three = (replace(x, level=(np.arange(len(x)) % count).astype(np.int8)) for x, count in ((two, 2), (three, 3)))
    worse, known = labels_of(joined([two, three]))["level"]
    assert known[: len(two)].tolist() == [[1.0, 0.0, 0.0, 0.0]] * len(two)
    assert (known[len(two) :] == 1.0).all()
    np.testing.assert_array_equal(worse[len(two) :].sum(axis=1), three.level)


def test_what_nobody_graded_is_not_taken_as_correct() -> None:
    """All the rest is faultless; the last part counts nothing in the movement."""
    graded = some("virtual", 3, 1)
    grades, weights = np.full((len(graded), 3, 5), 4.0, np.float32), np.full((len(graded), 5), 0.25, np.float32)
    weights[:, 4] = 0.0
    grades[0, 1, 0] = grades[1, 1, 0] = grades[2, 1, 4] = np.nan
    grades[1, 0, 0] = 1.0
    graded = replace(graded, level=np.full(len(graded), UNKNOWN, np.int8), grades=grades, part_weights=weights)
    correct, known = (each[:, 0].tolist() for each in labels_of(graded)["correct"])
    assert known == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert correct[1:] == [0.0, 1.0, 1.0, 1.0, 1.0]
