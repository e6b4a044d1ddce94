"""Examples from FineRehab's folder: every cut relative to the best of other subjects, with its grades.

Which cuts stand in for an instructor's recordings is ours. A cut's references are of the same movement and side, done
by other subjects: of each of these the cut with the best score, and of those cuts the few best, equals by lot. They
are of as many subjects as there are references, so that a fold that leaves one out keeps the others. The first is the
one that figures are measured with. A cut has no score where a part that counts in the movement has no grade; it is
nobody's reference, and is learned from as far as it is graded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import numpy as np

from appliance.errors import NotScorableError, RecordingError
from appliance.exercises import load_exercises
from appliance.messages.prescription import Side
from appliance.quality.score import score
from appliance.quality.weights import Weights
from appliance.scoring.body import body_of
from appliance.scoring.distance import movement_weights
from models.training.comparisons import OTHER_REFERENCES, Comparisons, Performed
from models.training.examples import FINEREHAB, Examples
from models.training.finerehab import Sample, samples
from models.training.finerehab_tables import Report


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """score: FineRehab's, NaN where there is none."""

    path: Path
    side: Side
    done: Performed
    score: float


_Best = Mapping[tuple[str, Side], list[_Cut]]
"""By exercise and side, every subject's best cut."""


def examples_of(folder: Path, report: Report) -> Examples:
    """All cuts of the sixteen movements.

    What is damaged or cannot be compared is given to `report`, a line each that names it, and left out.
    Raises `ManifestError` where a table is missing or lacks a column, or no cut can be compared.
    """
    exercises = load_exercises()
    sixteen = {name: (its.number, its.assessment) for name, its in exercises.items() if its.number and its.assessment}
    cuts = []
    for sample in samples(folder, report, {name: exercises[name] for name in sixteen}):
        try:
            cuts.append(_cut(sample, folder, *sixteen[sample.id.exercise]))
        except NotScorableError as error:
            report(RecordingError(f"{sample.path}: {error}"))
    best, rng = _best(cuts), np.random.default_rng(0)
    comparisons = Comparisons(FINEREHAB, rng)
    for cut in cuts:
        references = _references(cut, best, rng)
        if not references:
            report(RecordingError(f"{cut.path}: no other subject's cut of this movement and side is graded in full"))
        elif failed := comparisons.add(cut.done, references, _elsewhere(cut, best, rng)):
            report(RecordingError(f"{cut.path}: {failed[0]}"))
    return comparisons.examples()


def _cut(sample: Sample, folder: Path, number: int, weights: Weights) -> _Cut:
    """Raises `NotScorableError` where too little is seen, or nothing moves."""
    recording, side = sample.cut.recording, sample.id.side
    body = body_of(recording)
    movement_weights(body.about_pelvis)
    done = Performed(
        recording=str(sample.path.relative_to(folder)),
        exercise=sample.id.exercise,
        person=f"{FINEREHAB}/{sample.id.subject}",
        seen=recording,
        body=body,
        movement=number,
        grades=sample.grades.values.astype(np.float32),
        part_weights=weights.of_parts(side),
    )
    try:
        value = score(sample.grades, weights, side).value
    except NotScorableError:
        value = float("nan")
    return _Cut(sample.path, side, done, value)


def _best(cuts: list[_Cut]) -> _Best:
    best: dict[tuple[str, Side, str], _Cut] = {}
    for cut in cuts:
        of = (cut.done.exercise, cut.side, cut.done.person)
        if cut.score > (best[of].score if of in best else -1.0):
            best[of] = cut
    found = defaultdict(list)
    for (exercise, side, _), cut in best.items():
        found[exercise, side].append(cut)
    return found


def _references(cut: _Cut, best: _Best, rng: np.random.Generator) -> list[Performed]:
    others = [each for each in best.get((cut.done.exercise, cut.side), ()) if each.done.person != cut.done.person]
    by_lot = [others[at] for at in rng.permutation(len(others))]
    return [each.done for each in sorted(by_lot, key=attrgetter("score"), reverse=True)[: 1 + OTHER_REFERENCES]]


def _elsewhere(cut: _Cut, best: _Best, rng: np.random.Generator) -> Performed | None:
    """A cut that shows another movement, where there is one."""
    others = [each.done for (exercise, _), its in best.items() if exercise != cut.done.exercise for each in its]
    return others[rng.integers(len(others))] if others else None
