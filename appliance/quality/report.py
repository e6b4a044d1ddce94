"""The FineRehab part of a result: grades, score and level, as `appliance.messages.result` has them."""

from __future__ import annotations

from appliance.errors import NotScorableError
from appliance.exercises import Exercise
from appliance.messages.result import FineRehab
from appliance.quality.levels import Distribution, place
from appliance.quality.parts import BODY_PARTS, DIMENSIONS
from appliance.quality.score import Grades, score
from appliance.quality.weights import Side


def fine_rehab(
    grades: Grades, exercise: Exercise, side: Side, distribution: Distribution | None, unusable: str | None = None
) -> FineRehab:
    """What the grades come to when `side` does the exercise; without a distribution there is no level, see `place`.

    Raises `NotScorableError` where the exercise has no weights, or a part of the body that counts has no grade.
    """
    if exercise.assessment is None:
        raise NotScorableError(f"{exercise.id}: its file has no [assessment]: no weights, so no FineRehab score")
    scored = score(grades, exercise.assessment, side)
    placing = place(scored, exercise.id, distribution, unusable)
    return FineRehab(
        score=scored.value,
        dimensions=dict(scored.dimensions),
        grades={name: {part: grades.of(name, part) for part in BODY_PARTS} for name in DIMENSIONS},
        level=placing.level,
        no_level=placing.no_level,
    )
