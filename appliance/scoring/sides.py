"""Left against right, and the ranges of the joints' angles (FineRehab's comparisons; how they are computed: ours)."""

from __future__ import annotations

import numpy as np

from appliance.scoring.body import ANGLES, Body, Floats, angles_of
from appliance.skeleton.standard import INDEX, JOINTS

_LEFT_LIMBS = [INDEX[f"left_{joint}"] for joint in ("elbow", "wrist", "knee", "ankle")]
_LEAST_DEG = 1.0


def inter_limb_distance(body: Body) -> float:
    """Mean distance of the left elbow, wrist, knee and ankle from the right ones in the mirror, trunk lengths.

    0 for limbs that move alike at the same time. NaN where no pair of limbs is seen.
    """
    swapped = body.mirrored()
    pairs = [joint for joint in _LEFT_LIMBS if body.seen[joint] and swapped.seen[joint]]
    if not pairs:
        return float("nan")
    return float(np.linalg.norm(body.about_pelvis[:, pairs] - swapped.about_pelvis[:, pairs], axis=2).mean())


def angle_ranges(body: Body, known: Floats | None = None) -> dict[str, float]:
    """Degrees between the 3rd and the 97th percentile of each angle in `ANGLES` whose joints are seen.

    known: (angles,), where they have been computed.
    """
    if known is None:
        known = np.asarray(np.subtract(*np.percentile(angles_of(body.about_pelvis), [97, 3], axis=0)))
    return {
        name: float(value)
        for (name, (vertex, far, near)), value in zip(ANGLES.items(), known, strict=True)
        if all(body.seen[INDEX[joint]] for joint in (vertex, far, near) if joint in JOINTS)
    }


def symmetry(reference: Body, patient: Body, ranges: dict[str, float]) -> dict[str, float]:
    """Left against right, of the patient, whose `angle_ranges` are given; what is not seen has no entry.

    `inter_limb_distance`, and as `inter_limb_ratio` that over the reference's (1: as one-sided as that); `range`,
    (left - right) / (left + right) of the limbs' summed angle ranges, -1..1.
    """
    distance, expected = inter_limb_distance(patient), inter_limb_distance(reference)
    found = {}
    if np.isfinite(distance):
        found["inter_limb_distance"] = distance
        if expected > 0.0:
            found["inter_limb_ratio"] = distance / expected
    left, right = (
        sum(value for name, value in ranges.items() if name.startswith(side)) for side in ("left_", "right_")
    )
    if left + right > _LEAST_DEG:
        found["range"] = (left - right) / (left + right)
    return found
