"""A set judged repetition by repetition, and what that comes to: the parts of a result that the classifier gives."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median_high

import numpy as np

from appliance.errors import NotScorableError
from appliance.exercises import Exercise
from appliance.messages.result import FineRehab, Quality, RepetitionQuality
from appliance.quality.dimensions import by_score, level_of
from appliance.quality.judgement import Judge, Judgement
from appliance.quality.report import fine_rehab
from appliance.quality.score import Grades
from appliance.quality.weights import Side
from appliance.scoring.body import body_of
from appliance.scoring.components import Model, model_of
from appliance.scoring.repetitions import Span
from appliance.skeleton.standard import JOINTS, Recording

_log = logging.getLogger(__name__)

MARGIN_S = 0.3
"""Rest kept before and after a repetition, as references and training have it (ours)."""


@dataclass(frozen=True, slots=True)
class SetQuality:
    """model, weights, levels: versions of what took part, in the levels of `quality` or in `fine_rehab`."""

    quality: Quality
    fine_rehab: FineRehab | None
    model: str
    weights: str | None
    levels: str | None


def judge_set(
    judge: Judge,
    reference: Recording,
    reference_repetitions: Sequence[Span],
    recording: Recording,
    repetitions: Sequence[Span],
    exercise: Exercise,
    side: Side,
) -> SetQuality | None:
    """The complete repetitions, each against the reference's repetition of middling length; None where none can be.

    The set's quality is their mean, its level the middle one (the worse of two), its movement what most are (ours).
    Grades, and so FineRehab's score, come from the repetitions that the classifier is sure of, if there are any.
    """
    model = middling_model(reference, reference_repetitions)
    judged = [found for span in repetitions if (found := _judged(judge, model, recording, span)) is not None]
    if not judged:
        return None
    levels = [level_of(each, exercise, side, judge.distribution) for each in judged]
    sure = [each.grades.values for each in judged if each.sure]
    assessed = None
    if sure and exercise.assessment is not None:
        grades = Grades(np.mean(sure, axis=0))
        assessed = fine_rehab(grades, exercise, side, judge.distribution, judge.levels_unusable)
    scored = by_score(exercise, judge.distribution)
    return SetQuality(
        quality=Quality(
            quality=fmean(each.quality for each in judged),
            level=median_high(levels),
            movement=Counter(each.movement for each in judged).most_common(1)[0][0],
            sure=2 * len(sure) > len(judged),
            repetitions=tuple(
                RepetitionQuality(quality=each.quality, level=level, movement=each.movement)
                for each, level in zip(judged, levels, strict=True)
            ),
        ),
        fine_rehab=assessed,
        model=judge.version,
        weights=exercise.assessment.version if exercise.assessment and (assessed or scored) else None,
        levels=judge.levels if scored else None,
    )


def middling_model(reference: Recording, repetitions: Sequence[Span], joints: tuple[str, ...] = JOINTS) -> Model:
    """The repetition of middling length made ready, or the whole reference where it has none.

    joints: those that count. Raises `NotScorableError` where the body cannot be placed.
    """
    spans = sorted(repetitions, key=lambda span: span.end_s - span.start_s)
    if spans:
        reference = with_rest(reference, spans[len(spans) // 2])
    return model_of(body_of(reference, joints))


def _judged(judge: Judge, reference: Model, recording: Recording, span: Span) -> Judgement | None:
    try:
        return judge.judge(reference, body_of(with_rest(recording, span)))
    except NotScorableError as error:
        _log.info("the repetition at %.1f s is not judged: %s", span.start_s, error)
        return None


def with_rest(recording: Recording, span: Span) -> Recording:
    """A repetition as references and training have it."""
    return recording.between(span.start_s - MARGIN_S, span.end_s + MARGIN_S)
