"""A kernel machine that teaches the network (distillation, Hinton et al. 2015).

Kernel ridge regression on blocks that count alike knows unseen persons better than networks trained on the same labels,
but is too large for the box and has nothing int8. So it is asked about recordings and about mixtures of them, and the
network learns its answers. Where a head looks at what the reference is like, what is alike counts double between tasks
that are alike (a multi-task kernel: Evgeniou, Micchelli and Pontil 2005): how slow is poor depends on the task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.training.blocks import TASK, Floats

_RIDGE = 0.3
_WIDTH = 0.5
"""Of the kernel: times the mean, over the blocks, of the mean square distance."""
_TASK_WIDTH, _TASK_ALONE = 5.0, 0.3
"""How fast tasks become unlike, and how much it counts that a task is the same, whatever is done."""
_SURE = 2.5
"""Its answers, -1 to 1 on what it was taught, as logits."""
_CUT = 4.0
_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Teacher:
    """Of one head and one data set. scales: by block, mean and spread; known: (rows, numbers); weights: (rows, n)."""

    scales: dict[str, tuple[Floats, Floats]]
    known: Floats
    weights: Floats

    @classmethod
    def taught(cls, blocks: dict[str, Floats], labels: Floats) -> Self:
        """blocks: (rows, numbers) each; labels: (rows, n), 0 or 1."""
        scales = {name: (block.mean(axis=0), block.std(axis=0) + 1e-2) for name, block in blocks.items()}
        known = _together(blocks, scales)
        kernel = _kernel(known, known, _task(scales))
        kernel[np.diag_indices(len(known))] += _RIDGE
        return cls(scales, known, np.linalg.solve(kernel, 2.0 * labels - 1.0).astype(np.float32))

    def says(self, blocks: dict[str, Floats]) -> Floats:
        """(rows, n) probabilities."""
        asked = _together({name: blocks[name] for name in self.scales}, self.scales)
        task = _task(self.scales)
        some = (asked[at : at + _ROWS] for at in range(0, len(asked), _ROWS))
        parts = [_kernel(each, self.known, task) @ self.weights for each in some]
        return np.asarray(1.0 / (1.0 + np.exp(-_SURE * np.concatenate(parts))), np.float32)


def _together(blocks: dict[str, Floats], scales: dict[str, tuple[Floats, Floats]]) -> Floats:
    """Side by side, each block of length one on average, and all of them together too."""
    even = []
    for name, block in blocks.items():
        mean, spread = scales[name]
        even.append(np.clip((block - mean) / spread, -_CUT, _CUT) / np.sqrt(block.shape[1] * len(blocks)))
    return np.asarray(np.concatenate(even, axis=1), np.float32)


def _task(scales: dict[str, tuple[Floats, Floats]]) -> slice:
    """Where in all blocks side by side the task is; nowhere for a head that does not look at it."""
    first = 0
    for name, (mean, _) in scales.items():
        if name == TASK:
            return slice(first, first + len(mean))
        first += len(mean)
    return slice(0)


def _kernel(one: Floats, other: Floats, task: slice) -> Floats:
    """Radial basis functions, (rows of one, rows of other)."""
    alike = np.exp(-_WIDTH * _apart(one, other))
    if task.stop:
        same = np.exp(-_TASK_WIDTH * _apart(one[:, task], other[:, task]))
        alike = alike * (1.0 + same) + _TASK_ALONE * same
    return np.asarray(alike, np.float32)


def _apart(one: Floats, other: Floats) -> Floats:
    """Square distances, (rows of one, rows of other)."""
    square = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    return np.asarray(np.maximum(square, 0.0))
