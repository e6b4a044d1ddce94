"""The network in Keras, and its way to a fully int8 file; needs the training environment.

Temporal convolutions over the phases of the reference and a plain layer over the vector meet in one small trunk. Every
operation has an int8 kernel on the box: convolution, pooling, dense layers, ReLU.
"""

from __future__ import annotations

import tempfile
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from models.training.recipe import CLIP, LEVELS, MOVEMENTS, Recipe

HEADS = {"correct": 1, "same": 1, "level": LEVELS, "grades": 15, "movement": MOVEMENTS}
"""Output: its width; all are logits. correct: of being at level 0; same: of doing what the reference shows."""

_FEW_PERSONS = ("correct", "level")
"""Heads that learn from real persons, of whom there are few: their trunk is held back more by dropout."""


def build(phases: int, channels: int, features: int, recipe: Recipe) -> keras.Model:
    """Inputs `sequence` (phases, channels) and `vector` (features,), standardised; outputs by `HEADS`."""
    keras.utils.set_random_seed(recipe.seed)
    width = recipe.width
    sequence, vector = keras.Input((phases, channels), name="sequence"), keras.Input((features,), name="vector")
    x = sequence
    for kernel, stride in ((5, 2), (3, 2), (3, 1)):
        x = layers.Conv1D(width, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    course = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    plain = layers.Dense(2 * width, activation="relu", name="plain")(vector)

    def trunk(dropout: float) -> keras.KerasTensor:
        met = layers.Dropout(dropout)(layers.Concatenate()([course, plain]))
        return layers.Dropout(dropout)(layers.Dense(2 * width, activation="relu")(met))

    held, free = trunk(recipe.dropout), trunk(recipe.dropout / 4.0)
    trunks = {name: held if name in _FEW_PERSONS else free for name in HEADS}
    return keras.Model(
        [sequence, vector], {name: layers.Dense(n, name=name)(trunks[name]) for name, n in HEADS.items()}
    )


def to_int8(model: keras.Model, sequence: NDArray[np.float32], vector: NDArray[np.float32]) -> bytes:
    """sequence, vector: standardised inputs of training that show the ranges. Inputs and outputs are int8 as well."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)  # which freezes the variables and names inputs and outputs
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converter.representative_dataset = lambda: (
            {"sequence": s[None], "vector": v[None]} for s, v in zip(sequence, vector, strict=True)
        )
        return bytes(converter.convert())


def standardised(values: NDArray[Any], mean: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
    """values: (..., n); mean, spread: (n,)."""
    return np.clip((values.astype(np.float32) - mean) / spread, -CLIP, CLIP)
