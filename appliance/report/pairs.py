"""Which moment of the patient's is laid beside which of the reference's: each repetition along its own alignment.

A set and its reference need not hold equally many repetitions; a repetition always has its counterpart, the
reference's nearest, as in `appliance.scoring.repetitions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.body import Floats
from appliance.scoring.match import match
from appliance.scoring.prepare import Prepared, PreparedReference
from appliance.scoring.repetitions import Span

Frames = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Pairs:
    """patient, reference: (K,) frames of the prepared recordings. parts: (K, joints) of the squared distances."""

    patient: Frames
    reference: Frames
    parts: Floats

    @property
    def pose_dissimilarity(self) -> float:
        distances = np.sqrt(self.parts.sum(axis=1))
        return float(distances.mean() - distances.min())


def pairs_of(
    reference: PreparedReference, shown: Sequence[Span], patient: Prepared, done: Sequence[Span]
) -> list[Pairs | None]:
    """One for each repetition, None for one that cannot be aligned."""
    models = [frames for span in shown if len(frames := _frames(reference.recording, span)) > 1]
    models = models or [np.arange(len(reference.recording))]
    return [_nearest(reference, models, patient, _frames(patient, span)) for span in done]


def _frames(prepared: Prepared, span: Span) -> Frames:
    return np.flatnonzero((prepared.times >= span.start_s) & (prepared.times <= span.end_s))


def _nearest(reference: PreparedReference, models: list[Frames], patient: Prepared, frames: Frames) -> Pairs | None:
    if len(frames) < 2:
        return None
    found = []
    for model in models:
        try:
            matched = match(
                reference.recording.positions[model], patient.positions[frames], reference.weights, reference.options
            )
        except NotScorableError:
            continue
        found.append(Pairs(frames[matched.patient_frames], model[matched.instructor_frames], matched.parts))
    return min(found, key=lambda pairs: pairs.pose_dissimilarity, default=None)
