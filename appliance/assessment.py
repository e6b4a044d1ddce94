"""From a recorded set and its reference to all that a result says of the movement; a pure function of both."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.errors import NotScorableError, RehabBoxError
from appliance.exercises import Exercise
from appliance.messages.result import Repetition as RepetitionMessage
from appliance.messages.result import Score
from appliance.quality.judgement import Judge
from appliance.quality.of_set import SetQuality, judge_set
from appliance.quality.weights import Side
from appliance.scoring.compare import Comparison, compare
from appliance.scoring.noise import within
from appliance.scoring.options import options_for
from appliance.scoring.prepare import prepare_reference
from appliance.scoring.repetitions import RepetitionScore, score_repetitions
from appliance.segmentation.repetitions import Repetition, find_repetitions
from appliance.skeleton.standard import INDEX, Recording

_log = logging.getLogger(__name__)

MARGIN_S = 1.0
"""Rest kept before the first and after the last repetition; normalisation reads the yaw from it (ours)."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """reason: why there is no score, or None. joints_seen, filled: shares of the exercise's joint-frames, 0..1.
    set_quality: the classifier's view; None where none took part, or it could judge nothing."""

    repetitions: tuple[RepetitionMessage, ...]
    score: Score
    symmetry: dict[str, float | None]
    reason: str | None
    joints_seen: float
    filled: float
    set_quality: SetQuality | None = None

    @property
    def complete(self) -> int:
        return sum(repetition.complete for repetition in self.repetitions)


def assess(
    recording: Recording,
    reference: Recording,
    exercise: Exercise,
    phi_deg: float | None = None,
    noise_floor: Mapping[str, float] | None = None,
    judge: Judge | None = None,
    side: Side = "both",
) -> Assessment:
    """Repetitions, then the set against the whole reference, then each repetition against the reference's.

    phi_deg: the calibration's angle; without one there is no D. noise_floor: of the reference, by score, see
    `appliance.scoring.noise`. judge: the classifier, where one is installed; side: the one that was asked to move.
    What cannot be scored says why in `reason`; nothing is raised for a patient's recording.
    """
    seen = recording.confidence[:, [INDEX[name] for name in exercise.joints]] > 0
    joints_seen = float(seen.mean()) if seen.size else 0.0
    repetitions: list[Repetition] = []
    try:
        repetitions = find_repetitions(recording, exercise.joints)
        if not any(repetition.complete for repetition in repetitions):
            return _unscored(repetitions, joints_seen, "no complete repetition was seen")
        prepared = prepare_reference(reference, replace(options_for(exercise), phi_deg=phi_deg))
        the_set = set_of(recording, repetitions)
        comparison = compare(prepared, the_set)
        shown = find_repetitions(reference, exercise.joints)
        parts = score_repetitions(prepared, shown, the_set, repetitions)
        judged = _judged(judge, reference, shown, the_set, repetitions, exercise, side)
    except RehabBoxError as error:
        return _unscored(repetitions, joints_seen, str(error))
    return Assessment(
        repetitions=tuple(_message(repetition, part) for repetition, part in zip(repetitions, parts, strict=True)),
        score=Score.model_validate(_of_the_whole(comparison, noise_floor or {})),
        symmetry=dict(comparison.symmetry),
        reason=None,
        joints_seen=joints_seen,
        filled=comparison.filled,
        set_quality=judged,
    )


def unassessed(reason: str) -> Assessment:
    """Of a set that was never seen."""
    return _unscored([], 0.0, reason)


def set_of(recording: Recording, repetitions: Sequence[Repetition]) -> Recording:
    """Without the waiting before and after."""
    return recording.between(repetitions[0].start_s - MARGIN_S, repetitions[-1].end_s + MARGIN_S)


def _judged(
    judge: Judge | None,
    reference: Recording,
    shown: list[Repetition],
    the_set: Recording,
    repetitions: list[Repetition],
    exercise: Exercise,
    side: Side,
) -> SetQuality | None:
    """A reference or a body that the classifier cannot place costs its view, not the scores."""
    if judge is None:
        return None
    complete, shown = ([each for each in spans if each.complete] for spans in (repetitions, shown))
    try:
        return judge_set(judge, reference, shown, the_set, complete, exercise, side)
    except NotScorableError as error:
        _log.info("the set is not judged: %s", error)
        return None


def _of_the_whole(comparison: Comparison, floor: Mapping[str, float]) -> dict[str, Any]:
    """What `score` prints, but for the symmetry, which has its own place in a result."""
    scores = {name: value for name, value in comparison.as_json().items() if name != "symmetry"}
    return scores | {"noise_floor": dict(floor), "within_noise": within(comparison, floor)}


def _message(repetition: Repetition, part: RepetitionScore | None) -> RepetitionMessage:
    return RepetitionMessage(
        start_s=repetition.start_s,
        reverse_s=repetition.reverse_s,
        end_s=repetition.end_s,
        complete=repetition.complete,
        pose_dissimilarity=part.pose_dissimilarity if part else None,
        dynamics_dissimilarity=part.dynamics_dissimilarity if part else None,
    )


def _unscored(repetitions: list[Repetition], joints_seen: float, reason: str) -> Assessment:
    messages = tuple(_message(repetition, None) for repetition in repetitions)
    return Assessment(messages, Score(), {}, reason, joints_seen, filled=0.0)
