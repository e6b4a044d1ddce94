"""What one movement's grades come to in its exercise: FineRehab's three dimensions, and the level."""

from __future__ import annotations

import numpy as np

from appliance.exercises import Exercise
from appliance.quality.judgement import Judgement
from appliance.quality.levels import Distribution, place
from appliance.quality.parts import DIMENSIONS, LEVELS, Dimension
from appliance.quality.score import Grades, score
from appliance.quality.weights import Side
from appliance.scoring.movement import Movement

_ONE_SIDED = np.log(2.0)
"""One side's limbs together reach twice as far as the other's."""


def dimensions_of(grades: Grades, exercise: Exercise | None, moved: Movement) -> dict[Dimension, float]:
    """0..4 by dimension: the body parts' grades by the exercise's weights, for the side that `moved` moves.

    For an exercise without weights every part of the body counts alike (ours). moved: as the patient should have; the
    reference's.
    """
    if exercise is None or exercise.assessment is None:
        return dict(zip(DIMENSIONS, grades.values.mean(axis=1).tolist(), strict=True))
    return dict(score(grades, exercise.assessment, side_of(moved, exercise)).dimensions)


def level_of(judged: Judgement, exercise: Exercise | None, side: Side, distribution: Distribution | None) -> int:
    """0 best .. 4: by FineRehab's score and the stored distribution where the exercise is in it, else as the network
    says, which has it from manifests (ours)."""
    if exercise is not None and exercise.assessment is not None:
        level = place(score(judged.grades, exercise.assessment, side), exercise.id, distribution).level
        if level is not None:
            return len(LEVELS) - 1 - LEVELS.index(level)
    return judged.level


def by_score(exercise: Exercise, distribution: Distribution | None) -> bool:
    """Whether `level_of` goes by the score: the distribution holds this exercise, with the weights that it has."""
    fifths = distribution.movements.get(exercise.id) if distribution else None
    return fifths is not None and exercise.assessment is not None and fifths.weights == exercise.assessment.version


def side_of(moved: Movement, exercise: Exercise) -> Side:
    """The side that does it, among those the exercise has."""
    leaning = float(moved.sidedness().sum())
    side: Side = "both" if abs(leaning) < _ONE_SIDED else "left" if leaning > 0 else "right"
    if side in exercise.sides:
        return side
    return "both" if "both" in exercise.sides else "left" if leaning > 0 else "right"
