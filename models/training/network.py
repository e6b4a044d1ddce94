"""The network in Keras, and its way to a fully int8 file; needs the training environment.

Four parts that share nothing but the inputs, because different data teach them: whether it was done correctly and at
what level, from real persons, of whom there are few; what was done; and the grades, which virtual patients alone have.
Every operation has an int8 kernel on the box.
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
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from models.training.blocks import BLOCKS, STRETCHES, TASK
from models.training.layout import Layout
from models.training.recipe import CLIP, LEVELS, MOVEMENTS, Part

QUALITY = {"correct": 1, "level": LEVELS - 1}
KIND = {"same": 1, "movement": MOVEMENTS}
DIMENSIONS, PARTS = 3, 5
GRADES = {"grades": DIMENSIONS * PARTS * (LEVELS - 1)}
"""Output: its width; all are logits. correct: of being at level 0; level: of being worse than 0, 1, 2, 3; same: of
doing what the reference shows; grades: of each A_ij being above 0, 1, 2, 3."""

_GAIN = 12.0
"""Length, on average, of each block of inputs."""
_FIRST = 1.0 / 30.0
_TASKS = 24


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


def judged(layout: Layout, part: Part, head: str) -> keras.Model:
    """Two layers on the head's blocks of numbers; see `models.training.blocks`. Where one says what the reference is
    like, it opens and shuts what the first layer found: what is telling in one task says little in another."""
    sequence, vector = inputs(layout)
    blocks = {name: vector[:, at] for name, at in layout.groups.items()}
    means = layers.AveragePooling1D(layout.phases // STRETCHES)(sequence[:, :, layout.differences])
    blocks["course"] = _even(layers.Flatten()(means - keras.ops.mean(means, axis=1, keepdims=True)))
    blocks["course_size"] = keras.ops.abs(blocks["course"])
    blocks["slopes_size"] = keras.ops.abs(blocks["slopes"])
    prepared = {name: layers.GaussianNoise(part.noise)(_even(blocks[name])) for name in BLOCKS[head]}
    x = layers.ReLU()(_even(layers.Add()([Balanced(part.hidden)(block) for block in prepared.values()]), offset=True))
    if TASK in prepared:
        task = layers.Dense(_TASKS, activation="relu")(prepared[TASK])
        x = layers.Multiply()([x, layers.Dense(part.hidden, activation="sigmoid")(task)])
    x = layers.Dropout(part.dropout)(x)
    x = layers.Dense(part.hidden // 2, activation="relu")(x)
    outputs = {head: layers.Dense(QUALITY[head], name=head)(layers.Dropout(part.dropout)(x))}
    return keras.Model([sequence, vector], outputs)


def _even(x: keras.KerasTensor, *, offset: bool = False) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=0.97, center=offset, scale=False)(x)


def convolved(layout: Layout, part: Part, heads: dict[str, int]) -> keras.Model:
    """Temporal convolutions over the sequence and a plain layer over the vector meet in one layer."""
    shown = inputs(layout)
    sequence, vector = _noisy(shown, part)
    met = _met(sequence, vector, part)
    return keras.Model([*shown], {name: layers.Dense(count, name=name)(met) for name, count in heads.items()})


def graded(layout: Layout, part: Part) -> keras.Model:
    """As `convolved`, and beside it a small network that looks at each part of the body by itself, the same one for
    all: lag and trembling look alike in an arm and a leg, so that each teaches the others. Their logits are added."""
    shown = inputs(layout)
    sequence, vector = _noisy(shown, part)
    met = _met(sequence, vector, part)
    courses = sequence[:, :, layout.own_courses]
    x = layers.Reshape((layout.phases, PARTS, courses.shape[-1] // PARTS))(courses)
    for kernel in (7, 5, 3):
        x = layers.Conv2D(part.own, (kernel, 1), strides=(2, 1), padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    pools = [pool((x.shape[1], 1))(x) for pool in (layers.AveragePooling2D, layers.MaxPooling2D)]
    traits = layers.Reshape((PARTS, -1))(vector[:, layout.own_traits])
    x = layers.Concatenate()([layers.Reshape((PARTS, part.own))(each) for each in pools])
    first, second = 2 * part.own, part.own * 3 // 2
    whole = layers.Reshape((1, first))(layers.Dense(first)(met))
    x = layers.Add()([layers.Conv1D(first, 1)(x), layers.Conv1D(first, 1)(traits), whole])  # int8: of other scales
    x = layers.Dropout(part.dropout)(layers.ReLU()(x))
    x = layers.Dropout(part.dropout)(layers.Conv1D(second, 1, activation="relu")(x))
    own = layers.Reshape((PARTS, DIMENSIONS, LEVELS - 1))(layers.Conv1D(DIMENSIONS * (LEVELS - 1), 1)(x))
    own = layers.Reshape((GRADES["grades"],))(layers.Permute((2, 1, 3))(own))
    both = layers.Add(name="grades")([layers.Dense(GRADES["grades"])(met), own])
    return keras.Model([*shown], {"grades": both})


def _noisy(shown: Sequence[keras.KerasTensor], part: Part) -> list[keras.KerasTensor]:
    return [layers.GaussianNoise(part.noise)(each) for each in shown]


def _met(x: keras.KerasTensor, vector: keras.KerasTensor, part: Part) -> keras.KerasTensor:
    """x: the sequence."""
    for kernel, stride in ((5, 2), (3, 2), (3, 1)):
        x = layers.Conv1D(part.width, kernel, strides=stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.97)(x))
    plain = layers.Dense(part.hidden, activation="relu")(vector)
    met = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), plain])
    met = layers.Dense(part.hidden, activation="relu")(layers.Dropout(part.dropout)(met))
    return layers.Dropout(part.dropout)(met)


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
        return _bare(converter.convert())


def _bare(content: bytes) -> bytes:
    """Without what no interpreter asks for, an eighth of the file: tensors' names (the signature keeps its own), and
    the scales of offsets, which are those of the inputs times those of the weights."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = b""
            if tensor.type == schema.TensorType.INT32:
                tensor.quantization = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def standardised(values: NDArray[Any], mean: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
    """values: (..., n); mean, spread: (n,)."""
    return np.clip((values.astype(np.float32) - mean) / spread, -CLIP, CLIP)
