"""ST-GCN and UNIK, small: blocks of a spatial unit, in which they differ, and a convolution over time. Needs Keras.

The papers have ten blocks of 64 to 256 channels; with a few hundred persons and one core, ours have `WIDTHS`.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from models.training.baselines import st_gcn, unik
from models.training.baselines.normalisation import normalisation

Spatial = Callable[[keras.KerasTensor, int], keras.KerasTensor]
NETWORKS: dict[str, Spatial] = {"ST-GCN": st_gcn.spatial, "UNIK": unik.spatial}
WIDTHS = (16, 32, 48)
"""Channels of each block, which halves the frames."""
_KERNEL = 9
"""Frames that a convolution over time sees (both papers')."""
_DROPOUT = 0.3


def build(system: str, frames: int, joints: int, classes: int, seed: int) -> keras.Model:
    """(frames, joints, 3) -> logits (classes,)."""
    keras.utils.set_random_seed(seed)
    spatial = NETWORKS[system]
    skeleton = keras.Input((frames, joints, 3), name="skeleton")
    flat = normalisation()(layers.Reshape((frames, joints * 3))(skeleton))  # every coordinate by itself
    x = layers.Reshape((frames, joints, 3))(flat)
    for width in WIDTHS:
        x = _block(x, spatial, width)
    x = layers.Dropout(_DROPOUT)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(skeleton, layers.Dense(classes, name="logits")(x), name=system.lower().replace("-", "_"))


def _block(x: keras.KerasTensor, spatial: Spatial, width: int) -> keras.KerasTensor:
    y = spatial(x, width)
    y = layers.Conv2D(width, (_KERNEL, 1), strides=(2, 1), padding="same", use_bias=False)(y)
    y = normalisation()(y)
    if x.shape[-1] != 3:  # the first block has no way round it, as in both papers
        same = layers.Conv2D(width, 1, strides=(2, 1), use_bias=False)(x)
        y = layers.Add()([y, normalisation()(same)])
    return layers.ReLU()(y)
