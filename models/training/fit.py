"""One fold after another: trained, converted to int8, written down with what the box needs to feed it.

    python -m models.training.fit EXAMPLES OUT [--quick] --folds shipped|persons|all

Needs the training environment. For each fold OUT gets NAME.tflite, NAME.json with the standardisation of its inputs,
and NAME.npz with the outputs of the float network on the test rows, for comparison. The networks that teach one the
grades come first, as NAME_grader_N.weights.h5, for each fold that measures them. Several processes with one OUT share
the work: each takes the next piece that none has begun, NAME.begun says so, and each piece comes out the same. A
process that is ended leaves its piece begun, and a fold waits for those who teach it: start over with an empty OUT.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.blocks import Floats
from models.training.ensemble import schooled
from models.training.examples import ORDINARY, VIRTUAL_TRAINING, Examples
from models.training.folds import Fold, folds_named
from models.training.layout import Layout
from models.training.lessons import Inputs, Lessons, taught
from models.training.network import KIND, convolved, graded, joined, judged, standardised, to_int8
from models.training.recipe import QUICK, Part, Recipe

_SHOWN = 400
"""Rows of training that show the converter the ranges."""
_WARM = 0.05
"""Share of the steps in which the learning rate rises."""
_CHUNK = 500


def train(model: keras.Model, lessons: Lessons, part: Part, seed: int) -> None:
    """Every data set has its share of each batch, whatever its size."""
    labels = {name: its for name, its in lessons.labels.items() if name in model.output}
    counts = _counts(sorted(set(lessons.source.tolist())), part)
    sources = {source: np.flatnonzero(lessons.source == source) for source in counts}
    chances = {source: _chances(lessons.kind[rows], part) for source, rows in sources.items()}
    warm = int(_WARM * part.steps)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, part.steps - warm, warmup_target=part.learning_rate, warmup_steps=warm
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=part.weight_decay)
    rng = np.random.default_rng(seed)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def update(shown: list[tf.Tensor], known: dict[str, tuple[tf.Tensor, tf.Tensor]]) -> None:
        with tf.GradientTape() as tape:
            loss = _loss(model(shown, training=True), known)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    def step(shown: list[Floats], known: dict[str, tuple[Floats, Floats]]) -> None:
        tensors = {name: (tf.constant(label), tf.constant(weight)) for name, (label, weight) in known.items()}
        update([tf.constant(values) for values in shown], tensors)

    for _ in range(part.steps):
        rows = np.concatenate([rng.choice(sources[name], count, p=chances[name]) for name, count in counts.items()])
        known = {name: (label[rows], weight[rows]) for name, (label, weight) in labels.items()}
        step([values[rows].astype(np.float32) for values in lessons.shown], known)


def _counts(sources: list[str], part: Part) -> dict[str, int]:
    """Rows of each data set in a batch."""
    shares = {source: part.virtual if source == VIRTUAL_TRAINING else 1.0 for source in sources}
    return {source: max(1, round(part.batch * share / sum(shares.values()))) for source, share in shares.items()}


def _chances(kind: NDArray[np.int8], part: Part) -> NDArray[np.float64] | None:
    """Of each row of one data set; None: all alike."""
    ordinary = kind == ORDINARY
    if not part.strange or ordinary.all() or not ordinary.any():
        return None
    chances = np.where(ordinary, (1.0 - part.strange) / ordinary.sum(), part.strange / (~ordinary).sum())
    return np.asarray(chances / chances.sum())


def _loss(outputs: dict[str, tf.Tensor], labels: dict[str, tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
    """Sum over the heads of the mean loss where the label is known."""
    total = tf.constant(0.0)
    for name, logits in outputs.items():
        target, known = labels[name]
        if name == "movement":
            losses, known = tf.nn.softmax_cross_entropy_with_logits(target, logits), known[:, 0]
        else:
            losses = tf.nn.sigmoid_cross_entropy_with_logits(target, logits)
        rows = tf.reduce_sum(tf.cast(tf.reduce_any(tf.reshape(known, (len(known), -1)) > 0, axis=1), tf.float32))
        total += tf.reduce_sum(losses * known) / tf.maximum(rows, 1.0)
    return total


def network_of(fold: Fold, shown: Inputs, examples: Examples, layout: Layout, recipe: Recipe, out: Path) -> keras.Model:
    """The four parts, each trained by what knows of it. What a fold's figures are not about is left untrained: the
    parts share no weight, so it changes no figure. Movements left out measure quality; virtual grades are measured
    with the shipped model on virtual patients who are never trained on, FineRehab's on the persons left out."""
    lessons = Lessons.of(shown, examples)
    known = lessons.labels["correct"][1][:, 0] > 0
    told = taught(lessons.where(known), examples.where(known), layout, recipe.mixtures, recipe.seed)
    parts = []
    for head, part in (("correct", recipe.correct), ("level", recipe.level)):
        parts.append(_fresh(judged, recipe.seed, layout, part, head))
        train(parts[-1], told, part, recipe.seed)
    parts.append(_fresh(convolved, recipe.seed, layout, recipe.kind, KIND))
    if not fold.exercises:
        train(parts[-1], lessons, recipe.kind, recipe.seed)
    if fold.measures_grades:
        parts.append(_pupil(_with_grades(lessons), fold, layout, recipe, out))
    else:
        parts.append(_fresh(graded, recipe.seed, layout, recipe.grades))
    return joined(layout, parts)


def _with_grades(lessons: Lessons) -> Lessons:
    return lessons.where(lessons.labels["grades"][1].any(axis=1))


def _pupil(lessons: Lessons, fold: Fold, layout: Layout, recipe: Recipe, out: Path) -> keras.Model:
    """The network for the grades, taught by those that another process may still be training."""
    graders = []
    for number, part in enumerate(recipe.graders, start=1):
        while not _weights(out, fold, number).exists():
            time.sleep(1.0)
        graders.append(_fresh(graded, recipe.seed + number, layout, part))
        graders[-1].load_weights(_weights(out, fold, number))
    pupil = _fresh(graded, recipe.seed, layout, recipe.grades)
    told = schooled(lessons, graders, "grades", recipe.graded_mixtures, recipe.seed)
    train(pupil, told, recipe.grades, recipe.seed)
    return pupil


def fit_grader(number: int, examples: Examples, fold: Fold, layout: Layout, recipe: Recipe, out: Path) -> None:
    """Writes the weights of one network that teaches the grades; on what the fold's is trained on."""
    training = examples.where(fold.training(examples))
    lessons = _with_grades(Lessons.of(_inputs(training, *_scales(training)), training))
    seed, part = recipe.seed + number, recipe.graders[number - 1]
    grader = _fresh(graded, seed, layout, part)
    train(grader, lessons, part, seed)
    whole = _weights(out, fold, number)
    grader.save_weights(whole.with_name(f"part_{whole.name}"))
    whole.with_name(f"part_{whole.name}").rename(whole)


def _weights(out: Path, fold: Fold, number: int) -> Path:
    return out / f"{fold.name}_grader_{number}.weights.h5"


def _fresh(build: Callable[..., keras.Model], seed: int, *of: Any) -> keras.Model:
    """As it begins: the same, whatever was built before."""
    keras.utils.set_random_seed(seed)
    return build(*of)


def _standardisation(values: Floats | NDArray[np.float16], source: NDArray[np.str_]) -> tuple[Floats, Floats]:
    """Mean and standard deviation, (n,) each; every data set counts alike. values: (rows, ..., n)."""
    means, squares = [], []
    for name in np.unique(source):
        own, axes = values[source == name], tuple(range(values.ndim - 1))
        count = own[..., 0].size
        means.append(sum(chunk.sum(axis=axes, dtype=np.float64) for chunk in _chunks(own)) / count)
        squares.append(sum((chunk.astype(np.float64) ** 2).sum(axis=axes) for chunk in _chunks(own)) / count)
    mean = np.mean(means, axis=0)
    spread = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, 0.0)) + 1e-2
    return mean.astype(np.float32), spread.astype(np.float32)


def _chunks(values: NDArray[Any]) -> list[NDArray[Any]]:
    """A few rows at a time: several processes share the memory."""
    return [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)]


def _scales(training: Examples) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Of the sequence and of the vector."""
    return _standardisation(training.sequence, training.source), _standardisation(training.vector, training.source)


def _inputs(examples: Examples, by_frame: tuple[Floats, Floats], by_row: tuple[Floats, Floats]) -> Inputs:
    sequence = [standardised(chunk, *by_frame).astype(np.float16) for chunk in _chunks(examples.sequence)]
    return np.concatenate(sequence), standardised(examples.vector, *by_row)


def fit(examples: Examples, fold: Fold, layout: Layout, recipe: Recipe, out: Path) -> None:
    """Writes the three files of one fold."""
    training = examples.where(fold.training(examples))
    by_frame, by_row = _scales(training)
    shown = _inputs(training, by_frame, by_row)
    model = network_of(fold, shown, training, layout, recipe, out)
    rows = np.random.default_rng(0).choice(len(training), min(_SHOWN, len(training)), replace=False)
    (out / f"{fold.name}.tflite").write_bytes(to_int8(model, shown[0][rows].astype(np.float32), shown[1][rows]))
    named = zip(("sequence_mean", "sequence_spread", "mean", "spread"), (*by_frame, *by_row), strict=True)
    (out / f"{fold.name}.json").write_text(json.dumps({name: values.tolist() for name, values in named}))
    test = examples.where(fold.test(examples))
    if len(test):
        tried = [each.astype(np.float32) for each in _inputs(test, by_frame, by_row)]
        with (out / f"{fold.name}.npz").open("wb") as file:
            np.savez(file, **model.predict(tried, batch_size=512, verbose=0))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folds", choices=["shipped", "persons", "all"], default="shipped")
    options = parser.parse_args()
    examples = Examples.load(options.examples)
    layout = Layout.load(options.examples.with_name("layout.json"))
    recipe = QUICK if options.quick else Recipe()
    tf.config.experimental.enable_op_determinism()
    options.out.mkdir(parents=True, exist_ok=True)
    folds = folds_named(options.folds, examples)
    pieces: dict[str, Callable[[], None]] = {
        f"{fold.name}_grader_{number}": partial(fit_grader, number, examples, fold, layout, recipe, options.out)
        for fold in folds
        if fold.measures_grades
        for number in range(1, len(recipe.graders) + 1)
    }
    for fold in folds:
        pieces[fold.name] = partial(fit, examples, fold, layout, recipe, options.out)
    for name, piece in pieces.items():
        try:
            (options.out / f"{name}.begun").touch(exist_ok=False)
        except FileExistsError:
            continue
        started = time.process_time()
        piece()
        print(f"{name}: {time.process_time() - started:.0f} s of processor time", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
