"""What sets of real recordings share: each against its references, against another exercise, and out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.quality.relative import relative
from appliance.scoring.body import Body, body_of
from appliance.scoring.components import Model, model_of
from appliance.skeleton.standard import Recording
from models.training.collector import Collector
from models.training.examples import FOREIGN, ORDINARY, SHUFFLED, UNKNOWN, Examples

OTHER_REFERENCES = 3
"""References of other persons that each recording is compared with, beside the one that figures are measured with."""


@dataclass(frozen=True, slots=True, eq=False)
class Performed:
    """One recording of a set, and what is known of it. recording: its file; the rest: as `Collector.add` takes it."""

    recording: str
    exercise: str
    person: str
    seen: Recording
    body: Body
    movement: int
    level: int = UNKNOWN
    grades: NDArray[np.float32] | None = None
    part_weights: NDArray[np.float64] | None = None


class Comparisons:
    """Of one data set. rng: orders frames anew."""

    def __init__(self, source: str, rng: np.random.Generator) -> None:
        self._found, self._rng = Collector(source), rng
        self._models: dict[str, Model] = {}

    def add(
        self, done: Performed, references: Sequence[Performed], elsewhere: Performed | None
    ) -> list[NotScorableError]:
        """references: of the same exercise; figures are measured with the first. elsewhere: shows another exercise.

        Nothing is compared with itself, but for its frames in another order. Gives why a comparison cannot be made;
        it is left out.
        """
        asked = [(each, ORDINARY) for each in references if each is not done]
        asked += [(elsewhere, FOREIGN)] if elsewhere else []
        failed = []
        for reference, kind in (*asked, (references[0], SHUFFLED)):
            try:
                body = body_of(shuffled(done.seen, self._rng)) if kind == SHUFFLED else done.body
                compared = relative(self._model(reference), body)
            except NotScorableError as error:
                failed.append(error)
                continue
            self._found.add(
                compared,
                exercise=done.exercise,
                reference_exercise=reference.exercise,
                person=done.person,
                reference_person=reference.person,
                recording=done.recording,
                level=done.level,
                movement=done.movement,  # what was done, whatever the reference shows
                kind=kind,
                measured=kind != ORDINARY or reference is references[0],
                grades=done.grades,
                part_weights=done.part_weights,
            )
        return failed

    def examples(self) -> Examples:
        """All of them. Raises `ManifestError` where there is none."""
        return self._found.examples()

    def _model(self, reference: Performed) -> Model:
        if reference.recording not in self._models:
            self._models[reference.recording] = model_of(reference.body)
        return self._models[reference.recording]


def shuffled(recording: Recording, rng: np.random.Generator) -> Recording:
    """The same frames in another order, in eight to twenty pieces: no frame is strange, their course is."""
    pieces = np.array_split(np.arange(len(recording)), int(rng.integers(8, 21)))
    order = np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
    return replace(recording, positions=recording.positions[order], confidence=recording.confidence[order])
