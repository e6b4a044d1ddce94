"""What a system is asked: which persons it learns from, which it is measured on, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.baselines import splits
from models.training.baselines.runs import Run, Task, confusion_of, shares
from models.training.baselines.samples import OTHER_FAMILIES, VIRTUAL, Samples, whole_sets
from models.training.baselines.splits import HOLD_OUT, THREE_TO_ONE, Rows

Labels = NDArray[np.intp]
FIVE_FOLDS = "five folds"
SPLITS: dict[str, Callable[[Samples], Iterable[Rows]]] = {
    "3:1": lambda samples: [splits.held_out(samples, THREE_TO_ONE)],
    "70/30": lambda samples: [splits.held_out(samples, HOLD_OUT)],
    FIVE_FOLDS: splits.folds,
    "70/30 at random": lambda samples: [splits.at_random(samples, HOLD_OUT)],
}
REPETITIONS, WHOLE_SETS = "repetitions", "whole sets"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which of everything a run is about; `given` is REPETITIONS or WHOLE_SETS, `split` one of SPLITS."""

    task: Task
    source: str
    split: str
    given: str = REPETITIONS


@dataclass(frozen=True, slots=True)
class Problem:
    """training, labels: what is learned from. measured: samples of one data set each.

    Persons measured are not trained on, but for the split at random.
    """

    training: Samples
    labels: Labels
    measured: tuple[Samples, ...]


def classes_of(samples: Samples, task: Task) -> tuple[str, ...]:
    """Movements by name, or levels from the best."""
    if task == "movement":
        return tuple(np.unique(samples.exercise).tolist())
    _, first = np.unique(samples.level, return_index=True)
    return tuple(samples.label[first].tolist())


def labels_of(samples: Samples, classes: tuple[str, ...], task: Task) -> Labels:
    """(n,) index into classes."""
    names = samples.exercise if task == "movement" else samples.label
    return np.array([classes.index(name) for name in names.tolist()], np.intp)


def problems(samples: Samples, asked: Asked) -> Iterator[Problem]:
    """One for each fold and, where each movement has its own system, for each movement.

    A problem whose training holds a single class is left out: there is nothing to learn. Virtual patients of other
    families are measured as well, but for folds, which would measure them again and again.
    """
    own, strangers = samples.of(asked.source), samples.of(OTHER_FAMILIES)
    others = asked.source == VIRTUAL and asked.split != FIVE_FOLDS and len(strangers) > 0
    if asked.given == WHOLE_SETS:
        own, strangers = whole_sets(own), whole_sets(strangers) if others else strangers
    classes = classes_of(own, asked.task)
    movements = np.unique(own.exercise).tolist() if asked.task == "level by movement" else [None]
    for test in SPLITS[asked.split](own):
        for movement in movements:
            of = np.full(len(own), True) if movement is None else own.exercise == movement
            training, measured = own.where(of & ~test), [own.where(of & test)]
            if others:
                measured.append(strangers if movement is None else strangers.where(strangers.exercise == movement))
            labels = labels_of(training, classes, asked.task)
            if len(np.unique(labels)) > 1:
                yield Problem(training, labels, tuple(part for part in measured if len(part)))


@dataclass(frozen=True, slots=True)
class Answer:
    """said: (n,) labels for `measured`, one of a problem's. trained: persons learned from. seconds: of one core."""

    measured: Samples
    said: Labels
    trained: int
    seconds: float


def runs_of(
    answers: list[Answer], asked: Asked, classes: tuple[str, ...], system: str, augmentation: str = "none"
) -> list[Run]:
    """All folds and movements together; one run for each data set measured."""
    runs = []
    for source in sorted({str(answer.measured.source[0]) for answer in answers}):
        of = [answer for answer in answers if answer.measured.source[0] == source]
        true = np.concatenate([labels_of(answer.measured, classes, asked.task) for answer in of])
        said = np.concatenate([answer.said for answer in of])
        exercise = np.concatenate([answer.measured.exercise for answer in of])
        runs.append(
            Run(
                task=asked.task,
                system=system,
                source=source,
                split=asked.split,
                given=asked.given,
                augmentation=augmentation,
                classes=classes,
                confusion=confusion_of(true, said, len(classes)),
                by=shares(said == true, exercise),
                trained=max(answer.trained for answer in of),
                measured=len(set(np.concatenate([answer.measured.person for answer in of]).tolist())),
                seconds=round(sum(answer.seconds for answer in of), 2),
            )
        )
    return runs
