"""The network in Keras, and its way to a fully int8 file; needs the training environment.

Three parts that share nothing but the inputs, because different data teach them: how well it was done, from real
persons, of whom there are few; what was done; and the grades, which virtual patients alone have. Every operation has an
int8 kernel on the box.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray

from models.training.blocks import BLOCKS, STRETCHES
from models.training.layout import Layout
from models.training.recipe import CLIP, LEVELS, MOVEMENTS, Part

QUALITY = {"correct": 1, "level": LEVELS - 1}
KIND = {"same": 1, "movement": MOVEMENTS}
GRADES = {"grades": 15 * (LEVELS - 1)}
"""Output: its width; all are logits. correct: of being at level 0; level: of being worse than 0, 1, 2, 3; same: of
doing what the reference shows; grades: of each A_ij being above 0, 1, 2, 3."""

_GAIN = 12.0
"""Length, on average, of each block of inputs."""
_FIRST = 1.0 / 30.0


class Balanced(layers.Layer):  # type: ignore[misc]
    """A dense layer without offset, whose input counts as much as any other block's, however many numbers it has."""

    def __init__(self, units: int, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.units = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.factor = _GAIN / float(np.sqrt(shape[-1]))
        normal = keras.initializers.RandomNormal(stddev=_FIRST)
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer=normal, name="kernel")

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.matmul(x, self.kernel * self.factor)


def quality(layout: Layout, part: Part) -> keras.Model:
    """Two layers on blocks of numbers; see `models.training.blocks`."""
    sequence, vector = inputs(layout)
    blocks = {name: vector[:, at] for name, at in layout.groups.items()}
    means = layers.AveragePooling1D(layout.phases // STRETCHES)(sequence[:, :, layout.differences])
    blocks["course"] = _even(layers.Flatten()(means - keras.ops.mean(means, axis=1, keepdims=True)))
    blocks["course_size"] = keras.ops.abs(blocks["course"])
    blocks["slopes_size"] = keras.ops.abs(blocks["slopes"])
    prepared = {name: layers.GaussianNoise(part.noise)(_even(block)) for name, block in blocks.items()}
    outputs = {name: _judged(name, [prepared[block] for block in of], part) for name, of in BLOCKS.items()}
    return keras.Model([sequence, vector], outputs)


def _judged(name: str, blocks: list[keras.KerasTensor], part: Part) -> keras.KerasTensor:
    x = layers.ReLU()(_even(layers.Add()([Balanced(part.hidden)(block) for block in blocks]), offset=True))
    x = layers.Dropout(part.dropout)(x)
    x = layers.Dense(part.hidden // 2, activation="relu")(x)
    return layers.Dense(QUALITY[name], name=name)(layers.Dropout(part.dropout)(x))


def _even(x: keras.KerasTensor, *, offset: bool = False) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.97, center=offset, scale=False)(x)


def convolved(layout: Layout, part: Part, heads: dict[str, int]) -> keras.Model:
    """Temporal convolutions over the sequence and a plain layer over the vector meet in one layer."""
    sequence, vector = inputs(layout)
    x, y = (layers.GaussianNoise(part.noise)(each) for each in (sequence, vector))
    for kernel, stride in ((5, 2), (3, 2), (3, 1)):
        x = layers.Conv1D(part.width, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    plain = layers.Dense(part.hidden, activation="relu")(y)
    met = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), plain])
    met = layers.Dense(part.hidden, activation="relu")(layers.Dropout(part.dropout)(met))
    met = layers.Dropout(part.dropout)(met)
    return keras.Model([sequence, vector], {name: layers.Dense(count, name=name)(met) for name, count in heads.items()})


def inputs(layout: Layout) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """`sequence` and `vector`, standardised."""
    sequence = keras.Input((layout.phases, layout.channels), name="sequence")
    return sequence, keras.Input((layout.features,), name="vector")


def joined(layout: Layout, parts: Sequence[keras.Model]) -> keras.Model:
    """One network of trained parts with the same inputs."""
    sequence, vector = inputs(layout)
    outputs: dict[str, keras.KerasTensor] = {}
    for part in parts:
        outputs |= part([sequence, vector])
    return keras.Model([sequence, vector], outputs)


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
