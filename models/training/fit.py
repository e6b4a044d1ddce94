"""One fold after another: trained, converted to int8, written down with what the box needs to feed it.

    python -m models.training.fit EXAMPLES OUT [--quick] --folds shipped|persons|all

Needs the training environment. For each fold OUT gets NAME.tflite, NAME.json with the standardisation of its inputs,
and NAME.npz with the outputs of the float network on the test rows, for comparison.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.examples import ORDINARY, SHUFFLED, UNKNOWN, Examples
from models.training.folds import Fold, folds_named
from models.training.network import build, standardised, to_int8
from models.training.recipe import LEVELS, QUICK, Recipe

Floats = NDArray[np.float32]

_SHOWN = 400
"""Rows of training that show the converter the ranges."""
_ORDERLY, _SLIGHT = 3.5, 2.5
"""Grades: with none below the first a movement counts as correct, with any below the second as not."""
_BEST = 4.0
_UNWEIGHED = 0.05
"""What a grade counts beside its part's weight, so that those of no weight are learned too."""


def labels_of(examples: Examples) -> dict[str, Floats]:
    """By head: labels, and as `NAME_known` 1 where there is one."""
    ordinary = examples.kind == ORDINARY
    graded = np.isfinite(examples.grades).all(axis=(1, 2))
    worst = np.where(graded, np.nan_to_num(examples.grades).min(axis=(1, 2)), 3.0)
    levelled = examples.level != UNKNOWN
    level = np.where(levelled, examples.level, np.where(examples.five != UNKNOWN, LEVELS - 1 - examples.five, UNKNOWN))
    movement = np.where(examples.kind != SHUFFLED, examples.movement, UNKNOWN)
    labels = {
        "correct": np.where(levelled, examples.level == 0, worst > _ORDERLY),
        "correct_known": levelled | (graded & ((worst > _ORDERLY) | (worst < _SLIGHT))),
        "same": ordinary,
        "same_known": np.ones(len(examples)),
        "level": np.maximum(level, 0),
        "level_known": level != UNKNOWN,
        "grades": np.nan_to_num(examples.grades).reshape(-1, 15),
        "grades_known": graded,
        "grades_weights": np.repeat(np.nan_to_num(examples.part_weights)[:, None] + _UNWEIGHED, 3, axis=1).reshape(
            -1, 15
        ),
        "movement": np.maximum(movement, 0),
        "movement_known": movement != UNKNOWN,
    }
    return {name: np.asarray(values, np.float32) for name, values in labels.items()}


def loss_of(outputs: dict[str, tf.Tensor], labels: dict[str, tf.Tensor]) -> tf.Tensor:
    """Sum over the heads of the mean loss where the label is known."""
    total = tf.constant(0.0)
    for name, logits in outputs.items():
        target = labels[name]
        if name in ("correct", "same"):
            losses = tf.nn.sigmoid_cross_entropy_with_logits(target, logits[:, 0])
        elif name == "grades":
            off = tf.abs(_BEST * tf.sigmoid(logits) - target)
            losses = tf.reduce_sum(off * labels["grades_weights"], axis=1)
        else:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.cast(target, tf.int32), logits)
        known = labels[f"{name}_known"]
        total += tf.reduce_sum(losses * known) / tf.maximum(tf.reduce_sum(known), 1.0)
    return total


def train(sequence: Floats, vector: Floats, examples: Examples, recipe: Recipe) -> keras.Model:
    """On standardised inputs. Every data set has the same share of each batch, whatever its size."""
    phases, channels = sequence.shape[1:]
    model = build(phases, channels, vector.shape[1], recipe)
    labels = labels_of(examples)
    sources = [np.flatnonzero(examples.source == source) for source in sorted(set(examples.source.tolist()))]
    steps = max(1, len(examples) // recipe.batch) * recipe.epochs
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    rng = np.random.default_rng(recipe.seed)

    @tf.function  # type: ignore[untyped-decorator]
    def step(shown: list[tf.Tensor], known: dict[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(model(shown, training=True), known)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    each = recipe.batch // len(sources)
    for _ in range(steps):
        rows = np.concatenate([rng.choice(source, each) for source in sources])
        shown = [_disturbed(sequence[rows], recipe, rng), vector[rows]]
        shown[1] = shown[1] + recipe.noise * rng.standard_normal(shown[1].shape, np.float32)
        step([tf.constant(x) for x in shown], {name: tf.constant(values[rows]) for name, values in labels.items()})
    return model


def _disturbed(sequence: Floats, recipe: Recipe, rng: np.random.Generator) -> Floats:
    """A little earlier or later, and with noise."""
    moved = np.arange(sequence.shape[1]) + rng.integers(-recipe.shift, recipe.shift + 1, (len(sequence), 1))
    moved = np.clip(moved, 0, sequence.shape[1] - 1)
    shifted = np.take_along_axis(sequence, moved[:, :, None], axis=1)
    return shifted + recipe.noise * rng.standard_normal(shifted.shape, np.float32)


def fit(examples: Examples, fold: Fold, recipe: Recipe, out: Path) -> None:
    """Writes the three files of one fold."""
    training = examples.where(fold.training(examples))
    frames = training.sequence.astype(np.float32).reshape(-1, training.sequence.shape[2])
    mean, spread = frames.mean(axis=0), frames.std(axis=0) + 1e-2
    vector_mean, vector_spread = training.vector.mean(axis=0), training.vector.std(axis=0) + 1e-2
    sequence = standardised(training.sequence, mean, spread)
    vector = standardised(training.vector, vector_mean, vector_spread)
    model = train(sequence, vector, training, recipe)
    rows = np.random.default_rng(0).choice(len(training), min(_SHOWN, len(training)), replace=False)
    (out / f"{fold.name}.tflite").write_bytes(to_int8(model, sequence[rows], vector[rows]))
    inputs = {"sequence_mean": mean, "sequence_spread": spread, "mean": vector_mean, "spread": vector_spread}
    (out / f"{fold.name}.json").write_text(json.dumps({name: values.tolist() for name, values in inputs.items()}))
    test = examples.where(fold.test(examples))
    if len(test):
        shown = [standardised(test.sequence, mean, spread), standardised(test.vector, vector_mean, vector_spread)]
        outputs = model.predict(shown, batch_size=512, verbose=0)
        with (out / f"{fold.name}.npz").open("wb") as file:
            np.savez(file, **outputs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folds", choices=["shipped", "persons", "all"], default="shipped")
    options = parser.parse_args()
    examples = Examples.load(options.examples)
    recipe = QUICK if options.quick else Recipe()
    tf.config.experimental.enable_op_determinism()
    options.out.mkdir(parents=True, exist_ok=True)
    for fold in folds_named(options.folds, examples):
        started = time.monotonic()
        fit(examples, fold, recipe, options.out)
        print(f"{fold.name}: {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
