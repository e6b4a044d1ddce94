"""One comparison of a recording with a reference: HS-BTW from two recordings to its scores."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.body import Body, body_of
from appliance.scoring.components import measure
from appliance.scoring.extended import extended
from appliance.scoring.match import Match, match
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import Prepared, PreparedReference, intensity, prepare, prepare_reference, require_seen
from appliance.scoring.sides import angle_ranges, inter_limb, symmetry
from appliance.skeleton.standard import Recording


@dataclass(frozen=True, slots=True)
class Comparison:
    """The scores of HS-BTW, section 5. Distances are in trunk lengths (root `thorax`: shoulder widths).

    pose_dissimilarity: D_P. dynamics_dissimilarity: D_T, negative for a patient who moves more. dissimilarity: D at
    phi_deg, None where no phi is given. intensity, intensity_reference: I(patient), I(instructor).
    mean_distance, min_distance: of the K = `pairs` matched pairs. cost: what the alignment minimised.
    mean_lag_s, lag_spread_s: mean and standard deviation of the lag; positive: the patient is late (ours).
    tempo_ratio: the patient's duration over the instructor's, first frame to last (ours).
    joints: each joint's share of the squared distance over the path; all 0 where there is no distance (ours).
    base: which of the two was the shorter; shifts: the path, (base frames,).
    joint_distances: mean distance of each joint from the reference's along the path, unweighted (ours); a joint that
    the pairs never share has none.
    angle_ranges, angle_ranges_reference: degrees, see `appliance.scoring.sides`; empty where `extended` is.
    inter_limb: left from right by joint, see `appliance.scoring.sides.inter_limb`; empty where `extended` is.
    symmetry: "pose" is (left - right) / (left + right) of the limbs' shares, -1..1: positive where the left limbs
    differ more, 0 where neither does (ours). A one-sided exercise leans to its side, as the weights do.
    The others are those of `appliance.scoring.sides.symmetry`.
    dissimilarity_extended: the sum of `extended`, the contributions by component; extended_joints: where they
    come from; mirrored: the patient's mirror image was compared, because it is nearer. All ours; None and empty where
    pelvis, thorax or shoulders are not seen. See `appliance.scoring.components`.
    joints_seen: weighted share of the recording's joint-frames that were seen; filled: share that was interpolated.
    """

    pose_dissimilarity: float
    dynamics_dissimilarity: float
    dissimilarity: float | None
    phi_deg: float | None
    intensity: float
    intensity_reference: float
    mean_distance: float
    min_distance: float
    pairs: int
    cost: float
    mean_lag_s: float
    lag_spread_s: float
    tempo_ratio: float
    joints: dict[str, float]
    notes: tuple[str, ...]
    base: Literal["reference", "recording"]
    shifts: tuple[int, ...]
    symmetry: dict[str, float]
    joints_seen: float
    filled: float
    dissimilarity_extended: float | None
    extended: dict[str, float]
    extended_joints: dict[str, float]
    mirrored: bool
    joint_distances: dict[str, float]
    angle_ranges: dict[str, float]
    angle_ranges_reference: dict[str, float]
    inter_limb: dict[str, dict[str, float]]

    def as_json(self, *, path: bool = False) -> dict[str, Any]:
        """The document `rehabbox score` prints; base and shifts only where the path is asked for."""
        left_out = {"joints_seen", "filled"} | (set() if path else {"base", "shifts"})
        return {name: value for name, value in asdict(self).items() if name not in left_out}


def score(reference: Recording, recording: Recording, options: ScoringOptions | None = None) -> Comparison:
    """The whole recording against the whole reference. Raises `NotScorableError`, saying which of the two and why."""
    try:
        prepared = prepare_reference(reference, options or ScoringOptions())
    except NotScorableError as error:
        raise NotScorableError(f"the reference: {error}") from None
    try:
        return compare(prepared, recording)
    except NotScorableError as error:
        raise NotScorableError(f"the recording: {error}") from None


def compare(reference: PreparedReference, recording: Recording) -> Comparison:
    """As `score`, with a reference prepared once for many. `NotScorableError` says what is wrong with the recording."""
    options, instructor = reference.options, reference.recording
    patient = prepare(recording, options)
    if patient.planar != instructor.planar:
        kinds = ("three-dimensional", "two-dimensional")
        raise NotScorableError(f"is {kinds[patient.planar]} and the reference {kinds[instructor.planar]}")
    joints_seen = require_seen(patient, reference.weights.sum(axis=1))
    matched = match(instructor.positions, patient.positions, reference.weights, options)
    moved = intensity(patient.positions, reference.weights)
    dynamics = reference.intensity - moved
    body = _body(reference, recording)
    further = extended(measure(reference.model, body)) if reference.model and body else None
    angles = angle_ranges(body) if body else {}
    limbs = inter_limb(reference.model.body, body) if reference.model and body else {}
    lags = matched.lags / options.rate_hz
    shares = matched.joint_shares
    return Comparison(
        pose_dissimilarity=matched.pose_dissimilarity,
        dynamics_dissimilarity=dynamics,
        dissimilarity=_balanced(matched.pose_dissimilarity, dynamics, options.phi_deg),
        phi_deg=options.phi_deg,
        intensity=moved,
        intensity_reference=reference.intensity,
        mean_distance=float(matched.distances.mean()),
        min_distance=float(matched.distances.min()),
        pairs=len(matched.distances),
        cost=matched.alignment.cost,
        mean_lag_s=float(lags.mean()),
        lag_spread_s=float(lags.std()),
        tempo_ratio=patient.duration_s / instructor.duration_s,
        joints=dict(zip(options.joints, shares.tolist(), strict=True)),
        notes=_notes(instructor, patient, matched),
        base=matched.base,
        shifts=tuple(matched.alignment.shifts.tolist()),
        symmetry={"pose": _asymmetry(options.joints, shares), **symmetry(limbs, angles)},
        joints_seen=joints_seen,
        filled=patient.filled,
        dissimilarity_extended=further.dissimilarity if further else None,
        extended=further.contributions if further else {},
        extended_joints=further.joints if further else {},
        mirrored=further is not None and further.mirrored,
        joint_distances=_joint_distances(options.joints, instructor, patient, matched),
        angle_ranges=angles,
        angle_ranges_reference=angle_ranges(reference.model.body, reference.model.movement.angle_ranges)
        if reference.model
        else {},
        inter_limb=limbs,
    )


def _body(reference: PreparedReference, recording: Recording) -> Body | None:
    try:
        return body_of(recording, reference.options.joints)
    except NotScorableError:
        return None


def _joint_distances(
    joints: tuple[str, ...], instructor: Prepared, patient: Prepared, matched: Match
) -> dict[str, float]:
    pairs = instructor.positions[matched.instructor_frames] - patient.positions[matched.patient_frames]
    distances = np.sqrt((pairs**2).sum(axis=2))
    known = np.isfinite(distances)
    count, total = known.sum(axis=0), np.where(known, distances, 0.0).sum(axis=0)
    return {name: float(t / c) for name, t, c in zip(joints, total, count, strict=True) if c}


def _balanced(pose: float, dynamics: float, phi_deg: float | None) -> float | None:
    """D = D_P cos(phi) + 10 D_T sin(phi): projection on a plane whose dynamics axis is multiplied by ten (stated)."""
    if phi_deg is None:
        return None
    phi = math.radians(phi_deg)
    return pose * math.cos(phi) + 10.0 * dynamics * math.sin(phi)


def _asymmetry(joints: tuple[str, ...], shares: NDArray[np.float64]) -> float:
    left, right = (
        sum(share for name, share in zip(joints, shares.tolist(), strict=True) if name.startswith(side))
        for side in ("left_", "right_")
    )
    return (left - right) / (left + right) if left + right > 0.0 else 0.0


def _notes(instructor: Prepared, patient: Prepared, matched: Match) -> tuple[str, ...]:
    notes = [f"both: {note}" for note in instructor.notes if note in patient.notes]
    notes += [f"reference: {note}" for note in instructor.notes if note not in patient.notes]
    notes += [f"recording: {note}" for note in patient.notes if note not in instructor.notes]
    if matched.unknown:
        notes.append(f"{matched.unknown} matched frames share no seen joint and are left out of the scores")
    return tuple(notes)
