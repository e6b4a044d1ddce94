"""What came of training one system and measuring it, as a line of JSON; numpy only, for both environments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Task = Literal["movement", "level", "level by movement"]
"""Which movement it is; how well it was done, one system for all movements; the same, one for each movement."""


@dataclass(frozen=True, slots=True)
class Run:
    """source: of the persons measured. split: `3:1`, `70/30`, `five folds`, `70/30 at random`. given: what the system
    is shown: `repetitions`, `whole sets`. augmentation: of training, `none` for most.

    classes: in the order of confusion, rows true and columns said, counts. by: accuracy by movement. trained: persons,
    of the fold and movement with most. measured: persons, over all folds. seconds: of one core, for all training.
    """

    task: Task
    system: str
    source: str
    split: str
    given: str
    augmentation: str
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    by: dict[str, float]
    trained: int
    measured: int
    seconds: float

    @property
    def accuracy(self) -> float:
        """Share of right ones; where each movement has its own system, the mean over movements."""
        if self.task == "level by movement":
            return float(np.mean(list(self.by.values())))
        counts = np.array(self.confusion)
        return float(np.trace(counts) / counts.sum())


def confusion_of(true: NDArray[np.intp], said: NDArray[np.intp], classes: int) -> tuple[tuple[int, ...], ...]:
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (true, said), 1)
    return tuple(tuple(row) for row in counts.tolist())


def shares(hits: NDArray[np.bool_], group: NDArray[np.str_]) -> dict[str, float]:
    """By group: the share of true ones."""
    return {str(name): float(hits[group == name].mean()) for name in np.unique(group)}


def append(path: Path, run: Run) -> None:
    """Each run is on disk as soon as it is over."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(run)) + "\n")


def read(path: Path) -> list[Run]:
    runs = []
    for line in path.read_text("utf-8").splitlines():
        of = json.loads(line)
        of["classes"], of["confusion"] = tuple(of["classes"]), tuple(tuple(row) for row in of["confusion"])
        runs.append(Run(**of))
    return runs
