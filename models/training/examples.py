"""What the classifier learns from: comparisons with what is known of each, as one file of arrays.

Needs numpy only, so that the box's environment, which makes the comparisons, and the training one share it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
VIRTUAL_TRAINING, VIRTUAL_TESTS = "virtual", "virtual tests"
"""Data sets of virtual patients; the second is of other families and is never trained on."""
FINEREHAB = "finerehab"
"""FineRehab's own, where it is at hand: the one set of real recordings with grades."""
ORDINARY, FOREIGN, SHUFFLED = range(3)
"""Kinds: somebody does what the reference shows; something else; the frames are out of order."""


@dataclass(frozen=True, slots=True)
class Examples:
    """n comparisons; row i of every array is one.

    sequence: (n, phases, channels) float16; vector: (n, features) float32, as
    `appliance.quality.relative` makes them.
    source: data set. exercise, reference_exercise: they differ where the kind is FOREIGN. person, reference_person:
    with the data set's name before theirs. recording: its file or number.
    level: 0 best, as in manifests, else `UNKNOWN`. five: 0..4, 4 best: FineRehab's level, else `UNKNOWN`.
    grades: (n, 3, 5) float32, A_ij as the network sees the sides, NaN where unknown.
    part_weights: (n, 5) float32, W_b likewise, NaN where unknown.
    movement: 1..16, FineRehab's number, 0 for one that is none of them, else `UNKNOWN`.
    kind: ORDINARY, FOREIGN or SHUFFLED; all but ordinary ones have no grades and levels.
    measured: the reference is the one that figures are measured with; the others are for training only.
    """

    sequence: NDArray[np.float16]
    vector: NDArray[np.float32]
    source: NDArray[np.str_]
    exercise: NDArray[np.str_]
    reference_exercise: NDArray[np.str_]
    person: NDArray[np.str_]
    reference_person: NDArray[np.str_]
    recording: NDArray[np.str_]
    level: NDArray[np.int8]
    five: NDArray[np.int8]
    grades: NDArray[np.float32]
    part_weights: NDArray[np.float32]
    movement: NDArray[np.int8]
    kind: NDArray[np.int8]
    measured: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.vector)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as stored:
            return cls(**{field.name: stored[field.name] for field in fields(cls)})


def scorable(grades: NDArray[np.floating[Any]], part_weights: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) rows in which every part of the body that counts has a grade in each dimension. Arrays as in `Examples`."""
    counts = part_weights[:, None] > 0
    return np.asarray(np.isfinite(part_weights).all(axis=1) & (np.isfinite(grades) | ~counts).all(axis=(1, 2)))


def joined(parts: list[Examples]) -> Examples:
    """One after the other."""
    return Examples(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Examples)}
    )
