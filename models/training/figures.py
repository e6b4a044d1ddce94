"""From outcomes to the figures of the model card; each with its target and the persons it was measured on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from appliance.quality.judgement import passed
from appliance.quality.levels import Distribution
from appliance.quality.model_file import Calibration, Limits
from appliance.quality.parts import BODY_PARTS, DIMENSIONS
from models.training.examples import FINEREHAB, FOREIGN, ORDINARY, VIRTUAL_TESTS, VIRTUAL_TRAINING, Examples
from models.training.folds import REAL
from models.training.measures import Floats, calibration_error, mean_auc, mean_of, shares
from models.training.outcomes import Outcomes, chosen
from models.training.virtual import levelled

_TWO_LEVELS, _THREE_LEVELS = REAL
Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Figure:
    """name: what; value; target: `>= 0.96` or empty; by: the same by movement or kind; persons: whom it is of."""

    name: str
    value: float
    target: str = ""
    by: dict[str, float] | None = None
    persons: str = ""


def figures(
    shipped: Outcomes, persons: list[Outcomes], movements: list[Outcomes], training: Examples, fifths: Distribution
) -> list[Figure]:
    """shipped: on the virtual tests. persons, movements: the folds; either may be empty. training: all examples.
    fifths: from which FineRehab's levels come."""
    found = [*_real(persons, "unseen persons", 0.96, 0.85), *_conversion(persons)]
    found += _real(movements, "an unseen movement of unseen persons", 0.80, 0.80)
    if persons:
        found += [*_calibrated(persons), *_turned_away(persons)]
    return [*found, *_virtual(shipped, training, fifths)]


def costs(network: bytes, shipped: Outcomes) -> Iterator[Figure]:
    """Of the shipped file, on this machine."""
    yield Figure("Shipped file: kB", len(network) / 1000.0, "<= 300")
    yield Figure("Shipped file: ms of one core a repetition", 1000.0 * shipped.seconds, "<= 2")


def _measured(folds: list[Outcomes], source: str) -> list[tuple[Outcomes, Masks]]:
    """By fold, the rows of which it is known how well they were done; none where the set was not at hand."""
    rows = [(fold, fold.known & (fold.examples.source == source)) for fold in folds]
    return [(fold, its) for fold, its in rows if its.any()]


def _real(folds: list[Outcomes], whom: str, auc: float, accuracy: float) -> Iterator[Figure]:
    if rows := _measured(folds, _TWO_LEVELS):
        by = mean_auc(
            np.concatenate([fold.logits[r] for fold, r in rows]),
            np.concatenate([fold.correct[r] for fold, r in rows]),
            np.concatenate([fold.examples.exercise[r] for fold, r in rows]),
        )
        name = f"UI-PRMD, {whom}: mean AUC over movements"
        yield Figure(name, mean_of(by), f">= {auc:.2f}", by, persons_of(folds, REAL[:1]))
    if rows := _measured(folds, _THREE_LEVELS):
        hits = np.concatenate([_level(fold)[r] == fold.examples.level[r] for fold, r in rows])
        by = shares(hits, np.concatenate([fold.examples.exercise[r] for fold, r in rows]))
        name = f"WMFT, three levels, {whom}: mean accuracy over tasks"
        yield Figure(name, mean_of(by), f">= {accuracy:.2f}", by, persons_of(folds, REAL[1:]))


def _conversion(folds: list[Outcomes]) -> Iterator[Figure]:
    """What int8 costs."""
    lost = []
    for fold, rows in _measured(folds, _TWO_LEVELS):
        of = fold.correct[rows], fold.examples.exercise[rows]
        ours, before = (mean_of(mean_auc(head["correct"][rows, 0], *of)) for head in (fold.outputs, fold.float_outputs))
        lost.append(abs(before - ours))
    if lost:
        name = "UI-PRMD: AUC of float and int8 differ, the worst fold"
        yield Figure(name, max(lost), "<= 0.01", None, persons_of(folds, REAL[:1]))


def _calibrated(folds: list[Outcomes]) -> Iterator[Figure]:
    """Each fold by a calibration from the others; nothing where no real recording was at hand."""
    if not any(fold.known.any() for fold in folds):
        return
    probability, correct, source = [], [], []
    for index, fold in enumerate(folds):
        calibration, _ = chosen(folds[:index] + folds[index + 1 :])
        probability.append(_probability(fold.logits[fold.known], calibration))
        correct.append(fold.correct[fold.known])
        source.append(fold.examples.source[fold.known])
    said, right, of = np.concatenate(probability), np.concatenate(correct), np.concatenate(source)
    by = {str(name): calibration_error(said[of == name], right[of == name]) for name in np.unique(of)}
    error = calibration_error(said, right)
    yield Figure("Expected calibration error of quality, real sets", error, "<= 0.05", by, persons_of(folds, REAL))


def _turned_away(folds: list[Outcomes]) -> Iterator[Figure]:
    """Each fold by limits from the others."""
    away: dict[str, list[Masks]] = {}
    for index, fold in enumerate(folds):
        _, limits = chosen(folds[:index] + folds[index + 1 :])
        turned, of = _away(fold, limits), fold.examples
        for source in np.unique(of.source).tolist():
            for kind, name in enumerate(("ordinary", "foreign", "shuffled")):
                away.setdefault(f"{name}, {source}", []).append(turned[(of.kind == kind) & (of.source == source)])
    by = {name: float(np.concatenate(each).mean()) for name, each in away.items() if np.concatenate(each).size}
    strange, usual = ({k: v for k, v in by.items() if k.startswith("ordinary") == u} for u in (False, True))
    whom = persons_of(folds, (FINEREHAB, *REAL))
    yield Figure("`other` or `not sure`: foreign and shuffled movements", mean_of(strange), ">= 0.90", strange, whom)
    yield Figure("`other` or `not sure`: ordinary persons", mean_of(usual), "<= 0.05", usual, whom)


def _away(fold: Outcomes, limits: Limits) -> Masks:
    return np.asarray((fold.strange > limits.strangeness) | (fold.outputs["same"][:, 0] < limits.same))


def _virtual(shipped: Outcomes, training: Examples, fifths: Distribution) -> Iterator[Figure]:
    """Families never trained on; the nearest training example stands beside each figure."""
    tests = shipped.examples
    rows = (tests.source == VIRTUAL_TESTS) & (tests.kind == ORDINARY)
    known = training.where((training.source == VIRTUAL_TRAINING) & (training.kind == ORDINARY))
    nearest = nearest_to(tests.vector[rows], known.vector)
    whom = f"{rows.sum()} virtual persons of the test families"

    moved, known_moved = _one_of_the_sixteen(tests, VIRTUAL_TESTS), _one_of_the_sixteen(training, VIRTUAL_TRAINING)
    recognised = shipped.outputs["movement"].argmax(axis=1) == tests.movement
    by = {"as asked": float(recognised[rows].mean()), "mistaken": float(recognised[moved & ~rows].mean())}
    yield Figure("Virtual: movement recognised", float(recognised[moved].mean()), ">= 0.95", by, whom)
    beside = training.movement[known_moved][nearest_to(tests.vector[moved], training.vector[known_moved])]
    yield Figure("- nearest neighbour", float((beside == tests.movement[moved]).mean()))
    off = dimensions_of(grades_of(shipped)[rows], tests.part_weights[rows])
    true = dimensions_of(tests.grades[rows], tests.part_weights[rows])
    by_neighbour = dimensions_of(known.grades[nearest], tests.part_weights[rows])
    for index, name in enumerate(DIMENSIONS):
        error, its = (float(np.abs(x[:, index] - true[:, index]).mean()) for x in (off, by_neighbour))
        yield Figure(f"Virtual: {name}, mean absolute error", error, "<= 0.40", None, whom)
        yield Figure("- nearest neighbour", its)
    five = levelled(tests.where(rows), grades_of(shipped)[rows], fifths)
    level = float((five == tests.five[rows]).mean())
    yield Figure("Virtual: five levels, accuracy", level, ">= 0.80", None, whom)
    near = float((np.abs(five - tests.five[rows]) <= 1).mean())
    yield Figure("- right or next to it", near)
    yield Figure("- nearest neighbour", float((known.five[nearest] == tests.five[rows]).mean()))


def _one_of_the_sixteen(examples: Examples, source: str) -> Masks:
    """(n,) rows in which one of them is done, as asked or by mistake."""
    mistaken = (examples.kind == FOREIGN) & (examples.movement > 0)
    return np.asarray((examples.source == source) & ((examples.kind == ORDINARY) | mistaken))


def nearest_to(vectors: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.intp]:
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    a, b = (vectors - mean) / spread, (known - mean) / spread
    return np.asarray(((b**2).sum(axis=1) - 2.0 * a @ b.T).argmin(axis=1))


def grades_of(fold: Outcomes) -> Floats:
    grades = passed(fold.outputs["grades"], len(DIMENSIONS) * len(BODY_PARTS))
    return grades.reshape(-1, len(DIMENSIONS), len(BODY_PARTS)).astype(np.float64)


def dimensions_of(grades: NDArray[Any], weights: NDArray[Any]) -> Floats:
    return np.asarray(np.einsum("ndp,np->nd", grades, weights), np.float64)


def _level(fold: Outcomes) -> NDArray[np.intp]:
    return passed(fold.outputs["level"], 1)[:, 0]


def _probability(logits: Floats, calibration: Calibration) -> Floats:
    return np.asarray(expit(calibration.slope * logits + calibration.offset))


def persons_of(folds: list[Outcomes], sets: tuple[str, ...]) -> str:
    """By fold, whom of these sets it left out; with the set's name where there are several."""
    groups = []
    for fold in folds:
        names = [name for name in fold.fold.persons if name.split("/")[0] in sets]
        short = " ".join(name if len(sets) > 1 else name.split("/")[1] for name in names)
        if short and short not in groups:
            groups.append(short)
    return "; ".join(groups)
