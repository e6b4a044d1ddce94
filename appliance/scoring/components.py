"""The components of the extended measure: in what a movement differs from the reference, whoever sets the pace (ours).

Each is 0 where the two agree and grows with the difference. What is counted (time, path, speed) is compared by the
logarithm of its ratio, so that twice as long costs the same for a short movement as for a long one, and one person's
size or habit does not count as an error of another. A ratio r below one is worth a little less than nothing, at
least -log 2 (log((1 + r) / 2)): being quicker than the instructor does not make up for a different movement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.body import (
    ANGLES,
    OTHER_SIDE,
    RATE_HZ,
    SEGMENTS,
    TRUNK_SEGMENTS,
    Body,
    Floats,
    Movement,
    directions_of,
    movement_of,
)
from appliance.scoring.warping import stride_of, warp
from appliance.skeleton.standard import INDEX

Frames = NDArray[np.int64]
Mask = NDArray[np.bool_]

COMPONENTS = {
    "range_of_motion": "how far each joint travels along each axis, less or more than in the reference",
    "joint_angle_deficit": "angle ranges that the reference reaches and the patient does not",
    "posture": "how the segments' directions differ along the movement, less the smallest difference",
    "trunk_posture": "how spine, neck and shoulder girdle are held",
    "trunk_compensation": "how they move from the starting position otherwise than in the reference",
    "trunk_inclination": "how much more the spine's inclination changes",
    "trunk_path": "how much longer the way of the upper trunk is: sway and compensation",
    "body_path": "how much longer the way of all joints is",
    "submovements": "into how many more separate movements it falls: stops, corrections, jerks",
    "movement_time": "how much longer it takes from the first motion to the last: tempo and pauses",
    "slowness": "how much lower the peak speed is",
}
"""Name: what it says."""

TRUNK_JOINTS = [INDEX[name] for name in ("spine", "neck", "head", "left_shoulder", "right_shoulder")]
ALIGNED_STRIDE = 4
"""Frames of `RATE_HZ` between the frames that are warped: 7.5 a second are plenty for a smoothed body."""
_START_S = 0.33
"""The starting position is the median over so long."""
_DIRECTION = 0.1
"""Difference of two unit vectors (about 6 degrees) from which on it costs less than in proportion."""
_RANGE, _PATH, _SPEED = 0.05, 0.05, 0.05
"""Ranges (trunk lengths), paths (shoulder widths) and speeds that are hardly above a depth camera's noise."""
_ANGLE_DEG, _ANGLE_UNIT_DEG = 3.0, 45.0
_COUNT, _TIME_S = 2.0, 2.0 / 30.0
_LIKE_HIDDEN = 1e-6


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


def model_of(body: Body) -> Model:
    return Model(body, movement_of(body))


def measure(reference: Model, patient: Body) -> Measured:
    """All components. Of the patient and their mirror image the one nearer to the reference is compared."""
    swapped = patient.mirrored()
    straight, other = (_align(reference.body, body, reference.body.seen & body.seen) for body in (patient, swapped))
    mirrored = other[2] < straight[2]
    body, path = (swapped, other) if mirrored else (patient, straight)
    seen = reference.body.seen & body.seen
    values, joints = _along(reference.body, body, path[0], path[1], path[3], seen)
    for name, (value, parts) in _overall(reference.movement, movement_of(body), seen).items():
        values[name], joints[name] = value, parts
    if mirrored:
        joints = {name: parts[OTHER_SIDE] for name, parts in joints.items()}
    return Measured({name: values[name] for name in COMPONENTS}, joints, mirrored)


def _moved(positions: Floats) -> Floats:
    """From the starting position."""
    return np.asarray(positions - np.median(positions[: max(1, round(_START_S * RATE_HZ))], axis=0))


def _align(reference: Body, patient: Body, seen: Mask) -> tuple[Frames, Frames, float, int]:
    """Paired frames (of the thinned bodies), the mean distance, and the thinning. Joints count as much as they move."""
    stride = stride_of(len(reference.about_pelvis), len(patient.about_pelvis), ALIGNED_STRIDE)
    a, b = (_moved(body.about_pelvis)[::stride] for body in (reference, patient))
    weights = a.std(axis=0) * seen[:, None]
    scale = np.sqrt(weights / max(float(weights.sum()), _LIKE_HIDDEN))
    first, second, mean = warp((a * scale).reshape(len(a), -1), (b * scale).reshape(len(b), -1))
    return first, second, mean, stride


def _along(
    reference: Body, patient: Body, first: Frames, second: Frames, stride: int, seen: Mask
) -> tuple[dict[str, float], dict[str, Floats]]:
    """The components that compare frame with frame, averaged over the reference's frames: a pause counts once."""
    a, b = (directions_of(body.about_pelvis)[::stride] for body in (reference, patient))
    start = max(1, round(_START_S * RATE_HZ / stride))
    moved_a, moved_b = (x - np.median(x[:start], axis=0) for x in (a, b))
    known = np.array([seen[INDEX[one]] and seen[INDEX[two]] for one, two in SEGMENTS])
    pairs = np.bincount(first, minlength=len(a))

    def per_frame(values: Floats) -> Floats:
        return np.asarray(np.bincount(first, values, minlength=len(a)) / pairs)

    held = np.linalg.norm(a[first] - b[second], axis=2) * known
    changed = np.linalg.norm(moved_a[first] - moved_b[second], axis=2) * known
    weights = moved_a.std(axis=0) * known[:, None]
    weights = weights / max(float(weights.sum()), _LIKE_HIDDEN)
    squares = ((a[first] - b[second]) ** 2 * weights).sum(axis=2)
    distance = np.sqrt(squares.sum(axis=1))
    trunk = known.copy()
    trunk[TRUNK_SEGMENTS:] = False
    count = max(int(trunk.sum()), 1)
    values = {
        "posture": float(np.log1p((distance.mean() - np.percentile(distance, 2)) / _DIRECTION)),
        "trunk_posture": float(np.log1p(per_frame(held[:, trunk].sum(axis=1)).mean() / count / _DIRECTION)),
        "trunk_compensation": float(np.log1p(per_frame(changed[:, trunk].sum(axis=1)).mean() / count / _DIRECTION)),
    }
    joints = {
        "posture": _at_far_joints(squares.mean(axis=0)),
        "trunk_posture": _at_far_joints(held.mean(axis=0) * trunk),
        "trunk_compensation": _at_far_joints(changed.mean(axis=0) * trunk),
    }
    return values, joints


def _at_far_joints(segments: Floats) -> Floats:
    """A segment's part belongs to the joint at its far end."""
    joints = np.zeros(len(INDEX))
    for (_, far), part in zip(SEGMENTS, segments, strict=True):
        joints[INDEX[far]] += part
    return joints


def _overall(reference: Movement, patient: Movement, seen: Mask) -> dict[str, tuple[float, Floats]]:
    """The components that compare one number per joint, each with the joints' parts."""
    counted = seen.astype(np.float64)
    everywhere = _shares(counted)
    moving = _shares(np.sqrt(reference.path) * counted)
    carried = _shares(np.sqrt(reference.pelvis_path) * counted)
    trunk = np.zeros(len(seen))
    trunk[TRUNK_JOINTS] = 1.0
    trunk = _shares(trunk * counted)
    ranges = _shares(np.sqrt(reference.ranges) * counted[:, None])
    range_parts = (np.abs(_log_ratio(patient.ranges, reference.ranges, _RANGE)) * ranges).sum(axis=1)
    vertices = [INDEX["thorax" if name == "trunk" else vertex] for name, (vertex, _, _) in ANGLES.items()]
    angles = _shares(reference.angle_ranges * counted[vertices])
    deficit = np.zeros(len(seen))
    np.add.at(
        deficit, vertices, angles * np.maximum(reference.angle_ranges - patient.angle_ranges, 0.0) / _ANGLE_UNIT_DEG
    )
    at_thorax = np.zeros(len(seen))
    at_thorax[INDEX["thorax"]] = 1.0
    inclination = _log_ratio(patient.angle_ranges[:1], reference.angle_ranges[:1], _ANGLE_DEG)
    path = _log_ratio(patient.path, reference.path, _PATH)
    return {
        "range_of_motion": (float(range_parts.sum()), range_parts),
        "joint_angle_deficit": (float(deficit.sum()), deficit),
        "trunk_inclination": (_more(float(inclination[0])), at_thorax),
        "trunk_path": _weighed(path, trunk),
        "body_path": _weighed(path, everywhere),
        "submovements": _weighed(_log_ratio(patient.submovements, reference.submovements, _COUNT), moving),
        "movement_time": _weighed(_log_ratio(patient.movement_s, reference.movement_s, _TIME_S), moving),
        "slowness": _weighed(-_log_ratio(patient.peak_speed, reference.peak_speed, _SPEED), carried),
    }


def _weighed(log_ratios: Floats, weights: Floats) -> tuple[float, Floats]:
    return _more(float(log_ratios @ weights)), np.maximum(log_ratios, 0.0) * weights


def _more(log_ratio: float) -> float:
    """log((1 + r) / 2) of the ratio r."""
    return float(np.logaddexp(0.0, log_ratio) - np.log(2.0))


def _log_ratio(patient: Floats, reference: Floats, least: float) -> Floats:
    return np.asarray(np.log((patient + least) / (reference + least)))


def _shares(weights: Floats) -> Floats:
    return np.asarray(weights / max(float(weights.sum()), _LIKE_HIDDEN))
