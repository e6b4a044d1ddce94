"""Examples from virtual patients, whose every grade is known exactly; see `hal.virtual.cases`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

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
from models.training.examples import FOREIGN, ORDINARY, SHUFFLED, VIRTUAL_TESTS, VIRTUAL_TRAINING, Examples

SEED = 11
ORIGIN = "virtual patients of the training families, graded exactly"
_SOURCES = {"training": VIRTUAL_TRAINING, "test": VIRTUAL_TESTS}
_KINDS = {"asked": ORDINARY, "mistaken": FOREIGN, "foreign": FOREIGN, "shuffled": SHUFFLED}


def graded_cases(family: str, count: int) -> list[Case]:
    """One repetition each, and the same at every call."""
    return list(cases(family, count, SEED))


def distribution(drawn: list[Case]) -> Distribution:
    """Of the scores that these cases were given, by exercise."""
    scores: defaultdict[str, list[FineRehabScore]] = defaultdict(list)
    for case in drawn:
        if case.kind == "asked":
            scores[case.exercise].append(_score(case))
    return distribution_of(scores, ORIGIN)


def examples_of(family: str, drawn: list[Case], fifths: Distribution) -> Examples:
    """All cases but those that cannot be compared. Every case is a person of its own."""
    numbers = {name: exercise.number or 0 for name, exercise in load_exercises().items()}
    source = _SOURCES[family]
    found = Collector(source)
    for index, case in enumerate(drawn):
        try:
            compared = relative(model_of(body_of(_recording(case.reference))), body_of(_recording(case.performed)))
        except NotScorableError:
            continue
        person = f"{source}/{index:05}"
        asked = case.kind == "asked"
        found.add(
            compared,
            exercise=case.movement if case.kind == "mistaken" else case.exercise if asked else case.kind,
            reference_exercise=case.exercise,
            person=person,
            reference_person=f"{source}/instructor",
            recording=f"{index:05}",
            movement=_number(case, numbers),
            kind=_KINDS[case.kind],
            measured=True,
            five=LEVELS.index(_level(case, fifths)) if asked else -1,
            grades=case.grades.astype(np.float32) if asked else None,
            part_weights=_weights(case).of_parts(case.side),
        )
    return found.examples()


def _number(case: Case, numbers: Mapping[str, int]) -> int:
    return numbers.get(case.movement, 0)


def _weights(case: Case) -> Weights:
    weights = load_exercises()[case.exercise].assessment
    if weights is None:
        raise NotScorableError(f"{case.exercise}: its file has no [assessment], so virtual patients have no level")
    return weights


def _score(case: Case) -> FineRehabScore:
    return score(Grades(case.grades.astype(np.float64)), _weights(case), case.side)


def _level(case: Case, fifths: Distribution) -> str:
    level = place(_score(case), case.exercise, fifths).level
    if level is None:
        raise NotScorableError(f"{case.exercise}: no fifths for it")
    return level


def _recording(seen: Seen) -> Recording:
    return recording_of(seen.times, seen.positions, seen.confidence, gravity="accelerometer")
