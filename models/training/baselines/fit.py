"""ST-GCN and UNIK, trained and measured one after another.

    python -m models.training.baselines.fit SAMPLES RUNS [--epochs N] [--whole-grid]

Needs the training environment.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.baselines.augmentation import AUGMENTATIONS, augmented
from models.training.baselines.networks import NETWORKS, build
from models.training.baselines.problems import (
    FIVE_FOLDS,
    Answer,
    Asked,
    Labels,
    Problem,
    classes_of,
    problems,
    runs_of,
)
from models.training.baselines.runs import Run, Task, append
from models.training.baselines.samples import OTHER_FAMILIES, Samples
from models.training.baselines.splits import held_out

Floats = NDArray[np.float32]

SEED = 7
EPOCHS, BATCH, LEARNING_RATE = 20, 32, 3e-3
"""At most so many; training stops where persons held out for that purpose are not recognised better for a while."""
_STEPS = 500
"""At most so many, in whole epochs, however large a data set is."""
_WATCHED = 0.15
"""Share of the persons trained on that say when to stop."""
_SLOWER, _STOP = 3, 7
"""Epochs without a lower loss on them until steps get smaller, and until training ends."""


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Every epoch in another order and disturbed anew; the same at every run."""

    def __init__(self, courses: Floats, labels: Labels, augmentation: str) -> None:
        super().__init__()
        self._courses, self._labels, self._augmentation = courses, labels, augmentation
        self._rng = np.random.default_rng(SEED)
        self._order = self._rng.permutation(len(courses))

    def __len__(self) -> int:
        return -(-len(self._courses) // BATCH)

    def __getitem__(self, index: int) -> tuple[Floats, Labels]:
        rows = self._order[index * BATCH : (index + 1) * BATCH]
        return augmented(self._courses[rows], self._augmentation, self._rng), self._labels[rows]

    def on_epoch_end(self) -> None:
        self._order = self._rng.permutation(len(self._courses))


def asked_of(samples: Samples, whole_grid: bool) -> Iterator[tuple[Asked, str]]:
    """What every network is asked, and which augmentation it is trained with."""
    plain: list[tuple[Task, str]] = [("movement", "none"), ("movement", "all"), ("level", "all")]
    every: list[tuple[Task, str]] = [(task, kind) for task in ("movement", "level") for kind in AUGMENTATIONS]
    for split in ("3:1", "70/30", FIVE_FOLDS) if whole_grid else ("3:1",):
        for task, augmentation in every if whole_grid else plain:
            for source in sorted(set(samples.source.tolist()) - {OTHER_FAMILIES}):
                yield Asked(task, source, split), augmentation


def trained(system: str, problem: Problem, classes: int, augmentation: str, epochs: int) -> keras.Model:
    """On all persons of the training but the few that say when to stop; its best state by these."""
    courses = problem.training.course.astype(np.float32)
    watched = held_out(problem.training, _WATCHED)
    model = build(system, courses.shape[1], courses.shape[2], classes, SEED)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss, jit_compile=False)  # compiling takes longer than it saves
    callbacks: list[Any] = [
        keras.callbacks.ReduceLROnPlateau(patience=_SLOWER, factor=0.3),
        keras.callbacks.EarlyStopping(patience=_STOP, restore_best_weights=True),
    ]
    batches = _Batches(courses[~watched], problem.labels[~watched], augmentation)
    model.fit(
        batches,
        validation_data=(courses[watched], problem.labels[watched]),
        epochs=min(epochs, -(-_STEPS // len(batches))),
        callbacks=callbacks,
        verbose=0,
    )
    return model


def measured(system: str, samples: Samples, asked: Asked, augmentation: str, epochs: int) -> list[Run]:
    classes = classes_of(samples.of(asked.source), asked.task)
    answers = []
    for problem in problems(samples, asked):
        started = time.process_time()
        model = trained(system, problem, len(classes), augmentation, epochs)
        seconds, persons = time.process_time() - started, len(set(problem.training.person.tolist()))
        for part in problem.measured:
            logits = model.predict(part.course.astype(np.float32), batch_size=256, verbose=0)
            answers.append(Answer(part, logits.argmax(axis=1), persons, seconds))
    return runs_of(answers, asked, classes, system, augmentation)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--whole-grid", action="store_true")
    options = parser.parse_args()
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    samples = Samples.load(options.samples)
    for asked, augmentation in asked_of(samples, options.whole_grid):
        for system in NETWORKS:
            runs = measured(system, samples, asked, augmentation, options.epochs)
            for run in runs:
                append(options.runs, run)
            said = ", ".join(f"{run.source} {run.accuracy:.3f}" for run in runs)
            what = f"{asked.task}, {asked.split}, {system}, augmentation {augmentation}"
            print(f"{what}: {said}, {runs[0].seconds:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
