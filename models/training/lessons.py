"""What a part of the network is trained on: inputs, labels and what each counts; and what a teacher adds to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from models.training.blocks import BLOCKS, Floats, blocks_of
from models.training.examples import UNKNOWN, VIRTUAL_TRAINING, Examples
from models.training.labels import labels_of
from models.training.layout import Layout
from models.training.teacher import Teacher

Inputs = tuple[NDArray[np.float16], Floats]
"""Standardised sequence, (n, phases, channels), and vector, (n, features)."""

_LEAST_SHARE = 0.4
_NOISE = 0.2
"""Standard deviation, of the vector's numbers."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """n rows. labels: by head, the labels and their weights, (n, outputs) each. source, kind: as in `Examples`."""

    shown: Inputs
    labels: dict[str, tuple[Floats, Floats]]
    source: NDArray[np.str_]
    kind: NDArray[np.int8]

    @classmethod
    def of(cls, shown: Inputs, examples: Examples) -> Self:
        return cls(shown, labels_of(examples), examples.source, examples.kind)

    def where(self, rows: NDArray[np.bool_]) -> Self:
        return replace(
            self,
            shown=(self.shown[0][rows], self.shown[1][rows]),
            labels={name: (label[rows], weight[rows]) for name, (label, weight) in self.labels.items()},
            source=self.source[rows],
            kind=self.kind[rows],
        )


def taught(lessons: Lessons, examples: Examples, layout: Layout, mixtures: int, seed: int) -> Lessons:
    """Real recordings with their teachers' answers in place of their labels, `mixtures` times as many mixtures of two
    of one data set, every other one of one exercise, and virtual patients as they are. examples: of the same rows."""
    rng = np.random.default_rng(seed)
    labels = {head: [(label.copy(), weight)] for head, (label, weight) in lessons.labels.items() if head in BLOCKS}
    shown, source = [lessons.shown], [lessons.source]
    known = examples.level != UNKNOWN
    for name in np.unique(lessons.source[known & (lessons.source != VIRTUAL_TRAINING)]).tolist():
        rows = np.flatnonzero((lessons.source == name) & known)
        some, others = rng.choice(rows, (2, mixtures * len(rows)))
        others[::2] = _of_the_same(examples.exercise, some[::2], rows, rng)
        share = rng.uniform(_LEAST_SHARE, 1.0, (len(some), 1)).astype(np.float32)
        sequence, vector = lessons.shown
        noise = _NOISE * rng.standard_normal((len(some), vector.shape[1]), np.float32)
        at = share[:, :, None].astype(np.float16)
        mixed = (
            at * sequence[some] + (np.float16(1.0) - at) * sequence[others],
            share * vector[some] + (1.0 - share) * vector[others] + noise,
        )
        seen, asked = blocks_of(sequence[rows], vector[rows], layout), blocks_of(*mixed, layout)
        for head, blocks in BLOCKS.items():
            own = {block: seen[block] for block in blocks}
            teacher = Teacher.taught(own, lessons.labels[head][0][rows])
            labels[head][0][0][rows] = teacher.says(own)
            answers = teacher.says(asked)
            labels[head].append((answers, lessons.labels[head][1][some]))
        shown.append(mixed)
        source.append(np.full(len(some), name))
    every = np.concatenate(source)
    return Lessons(
        (np.concatenate([each[0] for each in shown]), np.concatenate([each[1] for each in shown])),
        {
            head: (np.concatenate([a for a, _ in its]), np.concatenate([b for _, b in its]))
            for head, its in labels.items()
        },
        every,
        np.concatenate([lessons.kind, np.zeros(len(every) - len(lessons.kind), np.int8)]),
    )


def _of_the_same(
    exercise: NDArray[np.str_], some: NDArray[np.intp], rows: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each of some rows another one of its exercise."""
    others = np.empty_like(some)
    for name in np.unique(exercise[rows]):
        at = exercise[some] == name
        others[at] = rng.choice(rows[exercise[rows] == name], at.sum())
    return others
