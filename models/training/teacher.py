"""A kernel machine that teaches the network (distillation, Hinton et al. 2015).

Kernel ridge regression on blocks that count alike knows unseen persons better than networks trained on the same labels,
but is too large for the box and has nothing int8. So it is asked about recordings and about mixtures of them, and the
network learns its answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.training.blocks import Floats

_RIDGE = {"correct": 0.3, "level": 0.5}
_WIDTH = 0.5
"""Of the kernel: times the mean, over the blocks, of the mean square distance."""
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
    def taught(cls, head: str, blocks: dict[str, Floats], labels: Floats) -> Self:
        """blocks: those of the head, (rows, numbers) each; labels: (rows, n), 0 or 1."""
        scales = {name: (block.mean(axis=0), block.std(axis=0) + 1e-2) for name, block in blocks.items()}
        known = _together(blocks, scales)
        kernel = _kernel(known, known)
        kernel[np.diag_indices(len(known))] += _RIDGE[head]
        return cls(scales, known, np.linalg.solve(kernel, 2.0 * labels - 1.0).astype(np.float32))

    def says(self, blocks: dict[str, Floats]) -> Floats:
        """(rows, n) probabilities."""
        asked = _together({name: blocks[name] for name in self.scales}, self.scales)
        parts = [_kernel(asked[at : at + _ROWS], self.known) @ self.weights for at in range(0, len(asked), _ROWS)]
        return np.asarray(1.0 / (1.0 + np.exp(-_SURE * np.concatenate(parts))), np.float32)


def _together(blocks: dict[str, Floats], scales: dict[str, tuple[Floats, Floats]]) -> Floats:
    """Side by side, each block of length one on average, and all of them together too."""
    even = []
    for name, block in blocks.items():
        mean, spread = scales[name]
        even.append(np.clip((block - mean) / spread, -_CUT, _CUT) / np.sqrt(block.shape[1] * len(blocks)))
    return np.asarray(np.concatenate(even, axis=1), np.float32)


def _kernel(one: Floats, other: Floats) -> Floats:
    """Radial basis functions, (rows of one, rows of other)."""
    square = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    return np.asarray(np.exp(-_WIDTH * np.maximum(square, 0.0)), np.float32)
