"""A recording made ready to be compared: gaps, rate, normalisation, in that order, and the instructor's weights.

The order is ours. Gaps are bridged first, on the recording's own stamps, because only there is a gap's length true; the
rate comes next, so that "the first second" and every later step count equal frames; normalisation comes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.body import body_of
from appliance.scoring.components import Model, model_of
from appliance.scoring.distance import movement_weights, squares
from appliance.scoring.options import ScoringOptions
from appliance.skeleton.gaps import fill_gaps
from appliance.skeleton.normalise import normalise
from appliance.skeleton.resample import resample
from appliance.skeleton.standard import Recording

LEAST_SEEN = 0.5
"""Share of the weighted joint-frames that must be seen (section 2)."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A recording at the common rate, normalised, with the exercise's joints only.

    times: (frames,) s, on the recording's own axis; positions: (frames, joints, 3) float64, NaN where not seen.
    filled: share of the joint-frames that were interpolated; duration_s: from the first frame to the last, as recorded.
    """

    times: NDArray[np.float64]
    positions: NDArray[np.float64]
    duration_s: float
    filled: float
    planar: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class PreparedReference:
    """The instructor's recording, ready for many comparisons under the same options.

    weights: (joints, 3), w_ik of section 3; intensity: I(instructor). model: for the extended measure (ours); None
    where the body cannot be placed for it.
    """

    recording: Prepared
    weights: NDArray[np.float64]
    intensity: float
    options: ScoringOptions
    model: Model | None


def prepare(recording: Recording, options: ScoringOptions) -> Prepared:
    """Raises `NotScorableError` for a recording too short or with too little seen to be placed and measured."""
    bridged, filled = fill_gaps(recording)
    level = resample(bridged, options.rate_hz)
    if len(level) < 2:
        raise NotScorableError(
            f"has {len(recording)} frame{'s' * (len(recording) != 1)} in {recording.duration_s:g} s, "
            f"at least two frames at {options.rate_hz:g} Hz are needed"
        )
    normalised = normalise(level.positions, options.rate_hz, options.root, planar=recording.planar)
    positions = np.ascontiguousarray(normalised.positions[:, options.joint_indices])
    share = float(filled[:, options.joint_indices].mean())
    notes = list(normalised.notes)
    if recording.gravity == "camera":
        notes.append("up is the camera's own, not gravity's: a tilted camera changes the score")
    if share:
        notes.append(f"short gaps were filled: {share:.1%} of the joints")
    return Prepared(level.times, positions, recording.duration_s, share, recording.planar, tuple(notes))


def prepare_reference(reference: Recording, options: ScoringOptions) -> PreparedReference:
    """Raises `NotScorableError` as `prepare`, and for an instructor who does not move or is mostly unseen."""
    recording = prepare(reference, options)
    weights = movement_weights(recording.positions)
    # A joint the instructor never shows has no weight; without this it would not even count as missing.
    hidden = ~np.isfinite(recording.positions).any(axis=(0, 2))
    joint_weights = weights.sum(axis=1)
    require_seen(recording, np.where(hidden, joint_weights[~hidden].mean(), joint_weights))
    moved = intensity(recording.positions, weights)
    return PreparedReference(recording, weights, moved, options, _model(reference, options))


def _model(reference: Recording, options: ScoringOptions) -> Model | None:
    try:
        return model_of(body_of(reference, options.joints))
    except NotScorableError:
        return None


def require_seen(recording: Prepared, joint_weights: NDArray[np.float64]) -> float:
    """The share seen of the joint-frames, weighted by (joints,); `NotScorableError` under `LEAST_SEEN`."""
    seen = np.isfinite(recording.positions).all(axis=2).mean(axis=0)
    share = float(seen @ joint_weights / joint_weights.sum())
    if share < LEAST_SEEN:
        raise NotScorableError(
            f"only {share:.0%} of the joints that matter are seen, at least {LEAST_SEEN:.0%} are needed: "
            "put the camera where it sees the moving limbs"
        )
    return share


def intensity(positions: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """I(X), section 5: the mean distance between consecutive frames, (frames, joints, 3), under (joints, 3) weights."""
    steps = squares(positions[:-1], positions[1:], weights).sum(axis=1)
    known = steps[np.isfinite(steps)]
    if not len(known):
        raise NotScorableError("no joint is seen in two frames in a row")
    return float(np.sqrt(known).mean())
