"""Sets to learn from, in which a row's sequence and weights say which row it is: a mixture's sequence says of which two
it was made, and how much of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.training.blocks import STRETCHES, Floats
from models.training.examples import SHUFFLED, UNKNOWN, VIRTUAL_TRAINING, Examples, joined
from models.training.folds import REAL
from models.training.layout import Layout
from models.training.lessons import Lessons
from tests.models.training.test_folds import some

GROUPS = ("components", "ratios", "courses", "slopes", "parts", "shown")
WIDTH = 2
"""Numbers in a group."""


@pytest.fixture(scope="session")
def sets() -> Examples:
    """Two real sets of two and of three levels, one of whose rows has none, and virtual patients with grades."""
    rng = np.random.default_rng(8)
    two, three, virtual = some(REAL[0], 4, 2), some(REAL[1], 5, 2), some(VIRTUAL_TRAINING, 6, 2)
    two, three = (
        replace(x, level=rng.integers(0, levels, len(x)).astype(np.int8)) for x, levels in ((two, 2), (three, 3))
    )
    three.level[4], three.kind[4] = UNKNOWN, SHUFFLED
    grades = rng.integers(0, 5, (len(virtual), 3, 5)).astype(np.float32)
    whole = joined([two, three, replace(virtual, level=np.full(len(virtual), UNKNOWN, np.int8), grades=grades)])
    vector = rng.standard_normal((len(whole), WIDTH * len(GROUPS))).astype(np.float32)
    vector[:, 0] += 2.0 * whole.level
    return replace(whole, vector=vector)


def named_by_row(examples: Examples) -> Lessons:
    sequence = np.repeat(np.eye(len(examples), dtype=np.float16)[:, None], 2 * STRETCHES, axis=1)
    lessons, row = Lessons.of((sequence, examples.vector), examples), np.arange(1, len(examples) + 1)[:, None]
    return replace(lessons, labels={head: (label, weight * row) for head, (label, weight) in lessons.labels.items()})


def layout_of(examples: Examples) -> Layout:
    groups = {name: slice(WIDTH * at, WIDTH * (at + 1)) for at, name in enumerate(GROUPS)}
    return Layout(2 * STRETCHES, len(examples), WIDTH * len(GROUPS), groups, slice(len(examples)))


def shares_of(sequence: np.ndarray) -> Floats:
    """(mixtures, rows) how much of each row is in each mixture."""
    assert (sequence == sequence[:, :1]).all()
    return np.asarray(sequence[:, 0], np.float32)
