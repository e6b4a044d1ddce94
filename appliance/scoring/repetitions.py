"""Each repetition against the reference's nearest (HS-BTW scores whole recordings; repetitions beside them: ours)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from appliance.errors import NotScorableError
from appliance.scoring.match import match
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import Prepared, PreparedReference, intensity, prepare, prepare_reference, require_seen
from appliance.skeleton.standard import Recording


class Span(Protocol):
    """What is needed of a repetition: where it lies on its recording's own time axis."""

    @property
    def start_s(self) -> float: ...

    @property
    def end_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class RepetitionScore:
    """D_P and D_T of one repetition; both None, with the reason, where it cannot be scored."""

    pose_dissimilarity: float | None
    dynamics_dissimilarity: float | None
    reason: str | None = None


def score_repetitions(
    reference: Recording | PreparedReference,
    reference_repetitions: Sequence[Span],
    recording: Recording,
    repetitions: Sequence[Span],
    options: ScoringOptions | None = None,
) -> list[RepetitionScore]:
    """One score per repetition, in their order.

    Normalisation and weights come from the whole recordings, so that all repetitions are measured with one scale. The
    nearest of the reference's repetitions is the one that gives the smallest D_P, the earlier on ties (ours: an
    instructor who repeats shows several right ways, and being close to one of them is right). A reference without
    repetitions counts as one. `options` are those the reference was prepared with, where it was.

    Raises `NotScorableError` where reference or recording cannot be scored at all.
    """
    if isinstance(reference, Recording):
        reference = prepare_reference(reference, options or ScoringOptions())
    patient = prepare(recording, reference.options)
    if patient.planar != reference.recording.planar:
        raise NotScorableError("a two-dimensional recording is compared only with another")
    models = [_cut(reference.recording, span) for span in reference_repetitions]
    models = [model for model in models if len(model) > 1] or [reference.recording]
    return [_nearest(reference, models, _cut(patient, span)) for span in repetitions]


def _cut(recording: Prepared, span: Span) -> Prepared:
    keep = (recording.times >= span.start_s) & (recording.times <= span.end_s)
    return replace(recording, times=recording.times[keep], positions=recording.positions[keep])


def _nearest(reference: PreparedReference, models: list[Prepared], repetition: Prepared) -> RepetitionScore:
    if len(repetition) < 2:
        return RepetitionScore(None, None, "is shorter than two frames")
    scores, reason = [], ""
    for model in models:
        try:
            scores.append(_scores(reference, model, repetition))
        except NotScorableError as error:
            reason = str(error)
    if not scores:
        return RepetitionScore(None, None, reason)
    pose, dynamics = min(scores, key=lambda score: score[0])
    return RepetitionScore(pose, dynamics)


def _scores(reference: PreparedReference, model: Prepared, repetition: Prepared) -> tuple[float, float]:
    weights = reference.weights
    require_seen(repetition, weights.sum(axis=1))
    matched = match(model.positions, repetition.positions, weights, reference.options)
    dynamics = intensity(model.positions, weights) - intensity(repetition.positions, weights)
    return matched.pose_dissimilarity, dynamics
