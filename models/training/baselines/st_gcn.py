"""The spatial unit of ST-GCN (Yan, Xiong, Lin: Spatial temporal graph convolutional networks for skeleton-based action
recognition, AAAI 2018): neighbours along the bones, in three groups, each with weights of its own. Needs Keras."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from models.training.baselines.graph import partitions
from models.training.baselines.normalisation import normalisation


class GraphConvolution(layers.Layer):  # type: ignore[misc]
    """(n, frames, 17, channels) -> (n, frames, 17, width): sum over the groups k of (A_k * M_k) x W_k, with M_k, how
    much each bone counts, learned."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._groups = partitions()
        self._mix = layers.Dense(width, use_bias=False)

    def build(self, shape: tuple[int | None, ...]) -> None:
        self._importance = self.add_weight(shape=self._groups.shape, initializer="ones", name="importance")
        self._mix.build((*shape[:-1], len(self._groups) * int(shape[-1] or 0)))

    def call(self, x: Any) -> Any:
        gathered = ops.tensordot(x, ops.convert_to_tensor(self._groups) * self._importance, axes=([2], [1]))
        gathered = ops.transpose(gathered, (0, 1, 4, 3, 2))
        return self._mix(ops.reshape(gathered, (-1, *gathered.shape[1:3], gathered.shape[3] * gathered.shape[4])))


def spatial(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    return layers.ReLU()(normalisation()(GraphConvolution(width)(x)))
