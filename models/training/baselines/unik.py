"""The spatial unit of UNIK (Yang et al.: UNIK, a unified framework for real-world skeleton-based action recognition,
BMVC 2021): no skeleton is given; which joint depends on which is learned, and judged anew in each sample. Needs Keras.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from models.training.baselines.normalisation import normalisation

HEADS = 3
"""Dependency matrices a unit, each with weights of its own (the paper's)."""
_EMBEDDED = 4
"""The embeddings that attention compares have a width of so many times less (the paper's)."""


class DependencyUnit(layers.Layer):  # type: ignore[misc]
    """(n, frames, joints, channels) -> (n, frames, joints, width): sum over the heads h of (W_h + A_h) x E_h.

    W_h (joints, joints) starts uniformly at random, which is the paper's point, and is the same for all samples; A_h
    is the sample's own: a softmax over how alike two joints' embeddings are, all moments together.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self._embedding = max(width // _EMBEDDED, 4)
        self._asks, self._answers = layers.Dense(HEADS * self._embedding), layers.Dense(HEADS * self._embedding)
        self._mix = layers.Dense(width)

    def build(self, shape: tuple[int | None, ...]) -> None:
        joints, channels = int(shape[2] or 0), int(shape[3] or 0)
        bound = joints**-0.5
        self._dependency = self.add_weight(
            shape=(HEADS, joints, joints),
            initializer=keras.initializers.RandomUniform(-bound, bound),
            name="dependency",
        )
        self._asks.build(shape)
        self._answers.build(shape)
        self._mix.build((*shape[:-1], HEADS * channels))

    def call(self, x: Any) -> Any:
        frames, joints, channels = x.shape[1:]
        split = (-1, frames, joints, HEADS, self._embedding)
        asks, answers = ops.reshape(self._asks(x), split), ops.reshape(self._answers(x), split)
        alike = ops.einsum("ntvhe,ntwhe->nhvw", asks, answers) / float(frames * self._embedding)
        matrices = self._dependency + ops.softmax(alike, axis=2)  # (n, heads, from, to)
        gathered = ops.einsum("ntvc,nhvw->ntwhc", x, matrices)
        return self._mix(ops.reshape(gathered, (-1, frames, joints, HEADS * channels)))


def spatial(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    y = normalisation()(DependencyUnit(width)(x))
    same = x if x.shape[-1] == width else normalisation()(layers.Dense(width)(x))
    return layers.ReLU()(layers.Add()([y, same]))
