"""The components of the extended measure: in what a movement differs from the reference, whoever sets the pace (ours).

Each is 0 where the two agree and grows with the difference. What is counted (time, path, speed, ranges) is compared by
the logarithm of its ratio, so that twice as long costs the same for a short movement as for a long one, and one
person's size or habit does not count as an error of another. A ratio r below one is worth a little less than nothing,
at least -log 2 (log((1 + r) / 2)): being quicker than the instructor does not make up for a different movement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.body import ANGLES, OTHER_SIDE, RATE_HZ, SEGMENTS, TILTS, Body, Floats, directions_of, tilts_of
from appliance.scoring.movement import Movement, movement_of
from appliance.scoring.warping import stride_of, warp
from appliance.skeleton.standard import INDEX, JOINTS

Mask = NDArray[np.bool_]

COMPONENTS = {
    "joint_angle_deficit": "angle ranges that the reference reaches and the patient does not",
    "stiffness": "angle ranges that are lost, every angle alike, however little the reference moves it",
    "posture": "how the segments' directions differ along the movement, less the smallest difference",
    "trunk_inclination": "how much more the spine's inclination changes",
    "trunk_compensation": "how much further the trunk leans forward and aside, and the shoulders turn and rise",
    "trunk_course": "how far trunk and shoulders are from where the reference has them at the same moment",
    "head_compensation": "how much further the head leans forward",
    "head_share": "how much more the head leans in proportion to the movement that is asked for",
    "body_path": "how much longer the way of all joints is: sway, detours, corrections",
    "submovements": "into how many more separate movements it falls: stops, corrections, jerks",
    "movement_time": "how much longer it takes from the first motion to the last: tempo and pauses",
    "slowness": "how much lower the peak speed is",
}
"""Name: what it says."""

ALIGNED_STRIDE = 4
"""Frames of `RATE_HZ` between the frames that are warped: 7.5 a second are plenty for a smoothed body."""
MIRROR_MARGIN = 0.05
"""By how much nearer, as a logarithm, the mirror image must be: a movement with both sides is left as it is."""
CLEARLY_SIDED = 1.0
"""Agreement of the two sidednesses from which on the limbs alone tell: one limb reaches e times as far, in both."""
_START_S = 0.33
"""The starting position is the median over so long."""
_DIRECTION = 0.1
"""Difference of two unit vectors (about 6 degrees) from which on it costs less than in proportion."""
_PATH, _SPEED = 0.05, 0.05
"""Paths (shoulder widths) and speeds (trunk lengths) that are hardly above a depth camera's noise."""
_ANGLE_DEG, _ANGLE_UNIT_DEG, _STIFF_DEG, _COURSE_DEG = 3.0, 45.0, 10.0, 5.0
_COUNT, _TIME_S = 2.0, 2.0 / 30.0
_LIKE_HIDDEN = 1e-6
_TRUNK_TILTS = 4
"""The first of `TILTS`; the others are the head's."""
_ENDS = [[INDEX[near], INDEX[far]] for near, far in SEGMENTS]
_OWNERS = [[INDEX[far]] if near[-3:] != far[-3:] else [INDEX[near], INDEX[far]] for near, far in SEGMENTS]
"""What a segment does is put down to the joint at its far end; shoulder and hip girdle to both ends."""
_TILTED = [segment for segment, _ in TILTS.values()]
_TILT_OWNERS = [_OWNERS[segment] for segment in _TILTED]
_VERTICES = [[INDEX["thorax" if name == "trunk" else vertex]] for name, (vertex, _, _) in ANGLES.items()]
_ANGLE_ENDS = [[INDEX[end] for end in ends if end in JOINTS] for ends in ANGLES.values()]


@dataclass(frozen=True, slots=True)
class Model:
    """A reference made ready: its body and what it did."""

    body: Body
    movement: Movement


@dataclass(frozen=True, slots=True)
class Measured:
    """values: by component. joints: by component, (17,) >= 0, each joint's part in it: proportions, not summing to 1.
    mirrored: the patient used the other side, and was compared as in a mirror."""

    values: dict[str, float]
    joints: dict[str, Floats]
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Aligned:
    """first, second: (k,) the paired frames of the reference and the patient, both thinned by `stride`; distance: their
    mean distance; start: frames of the thinned ones that make the starting position."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: float
    stride: int
    start: int


def model_of(body: Body) -> Model:
    return Model(body, movement_of(body))


def measure(reference: Model, patient: Body) -> Measured:
    """All components. Of the patient and their mirror image the one nearer to the reference is compared.

    Nearer is along the alignment, and in which of the two sides' limbs move further: somebody who compensates is far
    from the reference either way, but hardly changes hands. Where the limbs alone tell, one alignment will do.
    """
    movement = movement_of(patient)
    same_side = float(reference.movement.sidedness() @ movement.sidedness())
    mirrored = same_side < 0.0
    aligned = _align(reference.body, patient.mirrored() if mirrored else patient)
    if abs(same_side) < CLEARLY_SIDED:
        other = _align(reference.body, patient if mirrored else patient.mirrored())
        straight, swapped = (other, aligned) if mirrored else (aligned, other)
        nearer = np.log(max(straight.distance, _LIKE_HIDDEN)) - np.log(max(swapped.distance, _LIKE_HIDDEN))
        mirrored = bool(nearer - same_side > MIRROR_MARGIN)
        aligned = swapped if mirrored else straight
    if mirrored:
        patient, movement = patient.mirrored(), movement.mirrored()
    seen = reference.body.seen & patient.seen
    found = _along(reference.body, patient, aligned, seen) | _overall(reference.movement, movement, seen)
    joints = {name: parts[OTHER_SIDE] if mirrored else parts for name, (_, parts) in found.items()}
    return Measured(
        {name: found[name][0] for name in COMPONENTS}, {name: joints[name] for name in COMPONENTS}, mirrored
    )


def _moved(values: Floats, start: int) -> Floats:
    """From the starting position."""
    return np.asarray(values - np.median(values[:start], axis=0))


def _align(reference: Body, patient: Body) -> Aligned:
    """Joints count as much as the reference moves them."""
    stride = stride_of(len(reference.about_pelvis), len(patient.about_pelvis), ALIGNED_STRIDE)
    start = max(1, round(_START_S * RATE_HZ / stride))
    a, b = (_moved(body.about_pelvis[::stride], start) for body in (reference, patient))
    weights = a.std(axis=0) * (reference.seen & patient.seen)[:, None]
    scale = np.sqrt(_shares(weights))
    first, second, distance = warp((a * scale).reshape(len(a), -1), (b * scale).reshape(len(b), -1))
    return Aligned(first, second, distance, stride, start)


def _along(reference: Body, patient: Body, aligned: Aligned, seen: Mask) -> dict[str, tuple[float, Floats]]:
    """The components that compare frame with frame."""
    first, second = aligned.first, aligned.second
    a, b = (directions_of(body.about_pelvis[:: aligned.stride]) for body in (reference, patient))
    known = np.array([seen[ends].all() for ends in _ENDS])
    weights = _shares(_moved(a, aligned.start).std(axis=0) * known[:, None])
    squares = ((a[first] - b[second]) ** 2 * weights).sum(axis=2)
    distance = np.sqrt(squares.sum(axis=1))
    posture = float(np.log1p((distance.mean() - np.percentile(distance, 2)) / _DIRECTION))
    tilts_a, tilts_b = (_moved(tilts_of(x)[:, :_TRUNK_TILTS], aligned.start) for x in (a, b))
    once = 1.0 / np.bincount(first, minlength=len(a))[first]  # over the reference's frames: a pause counts once
    off = np.abs(tilts_a[first] - tilts_b[second]).T @ once / len(a)
    return {
        "posture": (posture, _at(_OWNERS, squares.mean(axis=0))[1]),
        "trunk_course": _at(_TILT_OWNERS[:_TRUNK_TILTS], np.log1p(off / _COURSE_DEG) / _TRUNK_TILTS),
    }


def _overall(reference: Movement, patient: Movement, seen: Mask) -> dict[str, tuple[float, Floats]]:
    """The components that compare one number per joint or angle, each with the joints' parts."""
    counted = seen.astype(np.float64)
    moving = _shares(np.sqrt(reference.path) * counted)
    carried = _shares(np.sqrt(reference.pelvis_path) * counted)
    known = np.array([seen[ends].all() for ends in _ANGLE_ENDS], np.float64)
    tilted = np.array([seen[_ENDS[segment]].all() for segment in _TILTED], np.float64)
    missing = np.maximum(reference.angle_ranges - patient.angle_ranges, 0.0)
    angles = _log_ratio(patient.angle_ranges, reference.angle_ranges, _ANGLE_DEG)
    asked = float(angles @ _shares(reference.angle_ranges**2 * known))
    tilts = _log_ratio(patient.tilt_ranges, reference.tilt_ranges, _ANGLE_DEG)
    trunk, head = slice(0, _TRUNK_TILTS), slice(_TRUNK_TILTS, None)
    return {
        "joint_angle_deficit": _at(_VERTICES, missing / _ANGLE_UNIT_DEG * _shares(reference.angle_ranges * known)),
        "stiffness": _at(_VERTICES, np.log1p(missing / _STIFF_DEG) * _shares(known)),
        "trunk_inclination": _at([[INDEX["thorax"]]], _more(angles[:1])),
        "trunk_compensation": _at(_TILT_OWNERS[trunk], _more(tilts[trunk]) / _TRUNK_TILTS),
        "head_compensation": _at(_TILT_OWNERS[head][:1], _more(tilts[head])[:1] * tilted[head][:1]),
        "head_share": _at(_TILT_OWNERS[head], _more(tilts[head] - asked) * _shares(tilted[head])),
        "body_path": _weighed(_log_ratio(patient.path, reference.path, _PATH), _shares(counted)),
        "submovements": _weighed(_log_ratio(patient.submovements, reference.submovements, _COUNT), moving),
        "movement_time": _weighed(_log_ratio(patient.movement_s, reference.movement_s, _TIME_S), moving),
        "slowness": _weighed(-_log_ratio(patient.peak_speed, reference.peak_speed, _SPEED), carried),
    }


def _at(joints: list[list[int]], parts: Floats) -> tuple[float, Floats]:
    """The parts' sum, and each part given to its joints."""
    shared = np.zeros(len(INDEX))
    for owners, part in zip(joints, parts.tolist(), strict=True):
        shared[owners] += max(part, 0.0) / len(owners)
    return float(parts.sum()), shared


def _weighed(log_ratios: Floats, weights: Floats) -> tuple[float, Floats]:
    return float(_more(log_ratios @ weights)), np.maximum(log_ratios, 0.0) * weights


def _more(log_ratios: Floats) -> Floats:
    """log((1 + r) / 2) of each ratio r."""
    return np.asarray(np.logaddexp(0.0, log_ratios) - np.log(2.0))


def _log_ratio(patient: Floats, reference: Floats, least: float) -> Floats:
    return np.asarray(np.log((patient + least) / (reference + least)))


def _shares(weights: Floats) -> Floats:
    return np.asarray(weights / max(float(weights.sum()), _LIKE_HIDDEN))
