"""Two prepared recordings aligned, and what the pairs of the path say (HS-BTW, sections 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.alignment import Alignment, align_recordings
from appliance.scoring.distance import squares
from appliance.scoring.options import ScoringOptions

MAX_CELLS = 100_000_000
"""Frames times shifts, about 0.8 GB; two recordings of unlike length meet it at some ten minutes, alike ones never."""


@dataclass(frozen=True, slots=True)
class Match:
    """instructor_frames, patient_frames: (K,) the pairs of the path inside the reference, without unknown ones.

    parts: (K, joints) each joint's part of the squared distance, recomputed in float64 along the path.
    unknown: pairs of the path that share no seen joint: they have no distance.
    """

    base: Literal["reference", "recording"]
    alignment: Alignment
    instructor_frames: NDArray[np.int64]
    patient_frames: NDArray[np.int64]
    parts: NDArray[np.float64]
    unknown: int

    @property
    def distances(self) -> NDArray[np.float64]:
        """(K,) d_k."""
        return np.asarray(np.sqrt(self.parts.sum(axis=1)))

    @property
    def pose_dissimilarity(self) -> float:
        """D_P: the mean distance less the smallest, which is anthropometric (stated; smallest of the path: ours)."""
        distances = self.distances
        return float(distances.mean() - distances.min())

    @property
    def lags(self) -> NDArray[np.int64]:
        """(K,) frames by which the patient is late (ours)."""
        return self.patient_frames - self.instructor_frames

    @property
    def joint_shares(self) -> NDArray[np.float64]:
        """(joints,) share of each joint in the squared distances of the path, summing to 1; 0 without any (ours)."""
        total = self.parts.sum()
        return np.asarray(self.parts.sum(axis=0) / total) if total > 0.0 else np.zeros(self.parts.shape[1])


def match(
    instructor: NDArray[np.float64],
    patient: NDArray[np.float64],
    weights: NDArray[np.float64],
    options: ScoringOptions,
) -> Match:
    """The shorter of the two is the base (stated), on equal lengths the instructor (ours).

    instructor: (frames, joints, 3), patient likewise, normalised; weights: (joints, 3). Raises `NotScorableError`
    where the two share no joint or are too long to be aligned.
    """
    instructor_is_base = len(instructor) <= len(patient)
    base, reference = (instructor, patient) if instructor_is_base else (patient, instructor)
    window = options.window_frames(len(base))
    if len(base) * (len(reference) - len(base) + 2 * window + 1) > MAX_CELLS:
        raise NotScorableError(f"too long to be aligned ({len(patient)} with {len(instructor)} frames): cut it")
    alignment = align_recordings(base, reference, weights, window, options.smoothness_per_frame)
    base_frames = np.arange(len(base))
    reference_frames = base_frames + alignment.shifts
    inside = (reference_frames >= 0) & (reference_frames < len(reference))
    base_frames, reference_frames = base_frames[inside], reference_frames[inside]
    parts = squares(base[base_frames], reference[reference_frames], weights)
    known = np.isfinite(parts).all(axis=1)
    if not known.any():
        raise NotScorableError("no matched frame shows a joint that the reference shows as well")
    pairs = base_frames[known], reference_frames[known]
    instructor_frames, patient_frames = pairs if instructor_is_base else pairs[::-1]
    return Match(
        base="reference" if instructor_is_base else "recording",
        alignment=alignment,
        instructor_frames=instructor_frames,
        patient_frames=patient_frames,
        parts=parts[known],
        unknown=int((~known).sum()),
    )
