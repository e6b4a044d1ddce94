"""A small data set on which any of the systems ought to do well."""

from __future__ import annotations

import numpy as np
import pytest

from models.training.baselines.samples import FRAMES, OTHER_FAMILIES, VIRTUAL, Samples, joined

EXERCISES = ("first", "second", "third")
LABELS = ("good", "poor")
WRISTS = [7, 10]


def some(source: str, persons: int, repetitions: int = 2) -> Samples:
    """Every person does every exercise once at each level; each moves the wrists along an axis of its own, and a
    worse level less.

    Features say exercise and level with some noise, in the first two; the rest is noise.
    """
    rng = np.random.default_rng(persons)
    rows = [
        (person, exercise, level)
        for person in range(persons)
        for exercise in range(len(EXERCISES))
        for level in range(len(LABELS))
        for _ in range(repetitions)
    ]
    course = np.zeros((len(rows), FRAMES, 17, 3))
    swing = np.sin(np.linspace(0.0, np.pi, FRAMES))
    for index, (_, exercise, level) in enumerate(rows):
        course[index, :, WRISTS, exercise] = swing / (1 + level)
    course += 0.02 * rng.standard_normal(course.shape)
    features = rng.normal(0.0, 0.1, (len(rows), 5))
    features[:, :2] += [[exercise, level] for _, exercise, level in rows]
    return Samples(
        course=course.astype(np.float16),
        features=features.astype(np.float32),
        source=np.full(len(rows), source),
        exercise=np.array([EXERCISES[exercise] for _, exercise, _ in rows]),
        person=np.array([f"{source}/{person}" for person, _, _ in rows]),
        set=np.array([f"{source}/{person}/{exercise}/{level}" for person, exercise, level in rows]),
        level=np.array([level for _, _, level in rows], np.int8),
        label=np.array([LABELS[level] for _, _, level in rows]),
    )


@pytest.fixture(scope="session")
def samples() -> Samples:
    return joined([some(VIRTUAL, 12), some(OTHER_FAMILIES, 5), some("real", 7, repetitions=1)])
