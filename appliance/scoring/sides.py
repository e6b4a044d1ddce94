"""Left against right, and the ranges of the joints' angles (FineRehab's comparisons; how they are computed: ours)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from appliance.scoring.body import ANGLES, OTHER_SIDE, Body, Floats, angles_of
from appliance.skeleton.standard import INDEX, JOINTS, Recording

PAIRS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
"""Joints that there are on both sides."""
LIMBS = ("elbow", "wrist", "knee", "ankle")
"""Those that `inter_limb_distance` averages."""
_LEAST_DEG = 1.0


def mirrored(recording: Recording) -> Recording:
    """The same movement done with the other side: left and right exchanged, x turned round."""
    return replace(
        recording,
        positions=recording.positions[:, OTHER_SIDE] * (-1.0, 1.0, 1.0),
        confidence=recording.confidence[:, OTHER_SIDE],
    )


def limb_distances(body: Body) -> dict[str, Floats]:
    """(frames,) distance of each left joint from the right one in the mirror, trunk lengths, by `PAIRS`.

    0 for sides that move alike at the same time. A pair that is not seen has no entry.
    """
    left, right = ([INDEX[f"{side}_{pair}"] for pair in PAIRS] for side in ("left", "right"))
    apart = body.about_pelvis[:, left] - body.about_pelvis[:, right] * (-1.0, 1.0, 1.0)
    distances = np.sqrt(np.einsum("fjk,fjk->jf", apart, apart))
    seen = body.seen[left] & body.seen[right]
    return {pair: distance for pair, distance, known in zip(PAIRS, distances, seen, strict=True) if known}


def inter_limb(reference: Body, patient: Body) -> dict[str, dict[str, float]]:
    """By joint of `PAIRS`: `distance`, the mean of the patient's `limb_distances`; `reference`, the same of the
    reference; `ratio` of the two, 1: as one-sided as that. What is not seen has no entry."""
    own, expected = (
        {pair: float(distance.mean()) for pair, distance in limb_distances(body).items()}
        for body in (patient, reference)
    )
    found = {}
    for pair, distance in own.items():
        found[pair] = {"distance": distance}
        if pair in expected:
            found[pair]["reference"] = expected[pair]
            if expected[pair] > 0.0:
                found[pair]["ratio"] = distance / expected[pair]
    return found


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


def symmetry(limbs: dict[str, dict[str, float]], ranges: dict[str, float]) -> dict[str, float]:
    """Left against right in three numbers, from `inter_limb` and the patient's `angle_ranges`.

    `inter_limb_distance`, the mean over `LIMBS`, and as `inter_limb_ratio` that over the reference's; `range`,
    (left - right) / (left + right) of the limbs' summed angle ranges, -1..1. What is not seen has no entry.
    """
    seen = [limbs[limb] for limb in LIMBS if limb in limbs]
    found = {}
    if seen:
        found["inter_limb_distance"] = sum(limb["distance"] for limb in seen) / len(seen)
    both = [limb for limb in seen if "reference" in limb]
    expected = sum(limb["reference"] for limb in both)
    if expected > 0.0:
        found["inter_limb_ratio"] = sum(limb["distance"] for limb in both) / expected
    left, right = (
        sum(value for name, value in ranges.items() if name.startswith(side)) for side in ("left_", "right_")
    )
    if left + right > _LEAST_DEG:
        found["range"] = (left - right) / (left + right)
    return found
