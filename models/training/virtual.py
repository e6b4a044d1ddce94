"""Examples from virtual patients, whose every grade is known exactly; see `hal.virtual.cases`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.exercises import load_exercises
from appliance.quality.levels import Distribution, distribution_of, place
from appliance.quality.parts import LEVELS
from appliance.quality.relative import relative
from appliance.quality.score import FineRehabScore, Grades, score
from appliance.quality.weights import Weights
from appliance.scoring.body import body_of
from appliance.scoring.components import model_of
from appliance.skeleton.standard import Recording, recording_of
from hal.virtual.cases import Case, Seen, cases
from models.training.collector import Collector
from models.training.examples import (
    FOREIGN,
    ORDINARY,
    SHUFFLED,
    UNKNOWN,
    VIRTUAL_TESTS,
    VIRTUAL_TRAINING,
    Examples,
    scorable,
)

SEED = 11
ORIGIN = "virtual patients of the training families, graded exactly"
_SOURCES = {"training": VIRTUAL_TRAINING, "test": VIRTUAL_TESTS}
_KINDS = {"asked": ORDINARY, "mistaken": FOREIGN, "foreign": FOREIGN, "shuffled": SHUFFLED}


Scores = Mapping[str, list[FineRehabScore]]
"""By the exercise's id."""


def examples_of(family: str, count: int, first: int = 0) -> tuple[Examples, Scores]:
    """Of `count` cases from the index `first` on, the same at every call; no levels yet, see `levelled`.

    What cannot be compared is left out. Every case is a person of its own. The scores are of all that do as asked.
    """
    numbers = {name: exercise.number or 0 for name, exercise in load_exercises().items()}
    source, scores = _SOURCES[family], defaultdict(list)
    found = Collector(source)
    for index, case in enumerate(cases(family, count, SEED, first=first), start=first):
        asked = case.kind == "asked"
        if asked:
            scores[case.exercise].append(_score(case))
        try:
            compared = relative(model_of(body_of(_recording(case.reference))), body_of(_recording(case.performed)))
        except NotScorableError:
            continue
        found.add(
            compared,
            exercise=case.movement if case.kind == "mistaken" else case.exercise if asked else case.kind,
            reference_exercise=case.exercise,
            person=f"{source}/{index:05}",
            reference_person=f"{source}/instructor",
            recording=f"{index:05}",
            movement=_number(case, numbers),
            kind=_KINDS[case.kind],
            measured=True,
            grades=case.grades.astype(np.float32) if asked else None,
            part_weights=_weights(case).of_parts(case.side),
        )
    return found.examples(), scores


def distribution(drawn: list[Case]) -> Distribution:
    """Of the scores that these cases were given, by exercise."""
    scores: defaultdict[str, list[FineRehabScore]] = defaultdict(list)
    for case in drawn:
        if case.kind == "asked":
            scores[case.exercise].append(_score(case))
    return distribution_over([scores])


def distribution_over(parts: Iterable[Scores]) -> Distribution:
    """Of all these scores together."""
    together: defaultdict[str, list[FineRehabScore]] = defaultdict(list)
    for part in parts:
        for exercise, its in part.items():
            together[exercise] += its
    return distribution_of(together, ORIGIN)


def levelled(examples: Examples, grades: NDArray[np.float64], fifths: Distribution) -> NDArray[np.int8]:
    """(n,) FineRehab's levels, 0 poor to 4 good, that these grades (n, 3, 5) come to; `UNKNOWN` where one that counts
    is NaN, or the movement is none of `fifths`.

    Grades and the examples' weights are of the same sides.
    """
    exercises = load_exercises()
    found = np.full(len(examples), UNKNOWN, np.int8)
    for row in np.flatnonzero(scorable(grades, examples.part_weights)):
        exercise = str(examples.exercise[row])
        weights = exercises[exercise].assessment
        if weights is None:
            raise _unweighed(exercise)
        value = weights.of_dimensions() @ np.nan_to_num(grades[row]) @ examples.part_weights[row].astype(np.float64)
        level = place(FineRehabScore(round(float(value), 6), {}, weights.version), exercise, fifths).level
        found[row] = UNKNOWN if level is None else LEVELS.index(level)
    return found


def _number(case: Case, numbers: Mapping[str, int]) -> int:
    return numbers.get(case.movement, 0)


def _weights(case: Case) -> Weights:
    weights = load_exercises()[case.exercise].assessment
    if weights is None:
        raise _unweighed(case.exercise)
    return weights


def _score(case: Case) -> FineRehabScore:
    return score(Grades(case.grades.astype(np.float64)), _weights(case), case.side)


def _unweighed(exercise: str) -> NotScorableError:
    return NotScorableError(f"{exercise}: its file has no [assessment], so virtual patients have no level")


def _recording(seen: Seen) -> Recording:
    return recording_of(seen.times, seen.positions, seen.confidence, gravity="accelerometer")
