"""What the baselines learn from: single repetitions with what is known of each, as one file of arrays.

Needs numpy only, so that the box's environment, which makes them, and the training one share it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

FRAMES = 32
"""Moments of a repetition, evenly spaced, that the networks see."""
VIRTUAL, OTHER_FAMILIES, UI_PRMD, WMFT = "virtual", "virtual tests", "ui-prmd-kinect2", "wmft-kinect2"
"""Data sets. `OTHER_FAMILIES`: virtual patients of families, cameras and instructors that nothing is trained on."""


@dataclass(frozen=True, slots=True)
class Samples:
    """n repetitions; row i of every array is one.

    course: (n, FRAMES, 17, 3) float16, the skeleton in standard form and normalised, 0 for a joint never seen.
    features: (n, k) float32, as `kinematics.features_of` makes them. source: data set. exercise: the movement.
    person: with the data set's name before theirs. set: names the set of repetitions that each belongs to.
    level: 0 best. label: the level's name.
    """

    course: NDArray[np.float16]
    features: NDArray[np.float32]
    source: NDArray[np.str_]
    exercise: NDArray[np.str_]
    person: NDArray[np.str_]
    set: NDArray[np.str_]
    level: NDArray[np.int8]
    label: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.level)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def of(self, source: str) -> Self:
        return self.where(self.source == source)

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})


def joined(parts: list[Samples]) -> Samples:
    """One after the other."""
    return Samples(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Samples)}
    )


def whole_sets(samples: Samples) -> Samples:
    """One row a set: features are the mean of its repetitions' and the spread between them; no course.

    Everything else is the same for all repetitions of a set, and taken from its first.
    """
    _, first, member = np.unique(samples.set, return_index=True, return_inverse=True)
    counts = np.bincount(member)[:, None]
    mean = _sums(samples.features, member) / counts
    spread = np.sqrt(_sums((samples.features - mean[member]) ** 2, member) / counts)
    chosen = samples.where(first)
    kept = {field.name: getattr(chosen, field.name) for field in fields(Samples)}
    kept["features"] = np.concatenate([mean, spread], axis=1).astype(np.float32)
    return Samples(**kept)


def _sums(values: NDArray[np.float32] | NDArray[np.float64], member: NDArray[np.intp]) -> NDArray[np.float64]:
    total = np.zeros((int(member.max()) + 1, values.shape[1]))
    np.add.at(total, member, values)
    return total
