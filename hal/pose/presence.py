"""Is that a body? Landmarks must lie on something of human size and as round as limbs are. Ours.

A pose network also finds people in prints, posters and on screens. Depth tells those apart: a print on a mug is too
small, a poster is flat across every limb (hanging, standing, curled or cut out) and as a whole, a screen gives no
depth.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.pose.lift import Floats, Lifted
from hal.pose.limbs import BONES, LIMB_RADII_M, LIMBS, RADII_M, SHOULDERS
from hal.pose.presence_kernels import limb_roundness
from hal.types import Absent, Lens

MIN_BONES: Final = 3
MIN_SPREAD: Final = 17
"""Landmarks measured, half of all, from which their spread tells the size where limbs that hide one another leave too
few bones: in a squat with both arms stretched towards the camera."""
SIZE_RANGE: Final = (0.55, 1.45)
"""Median of measured bone lengths by an adult's of 1.70 m: from a child of about 1 m to more than the tallest adult."""
TINY: Final = 0.4
ROUND: Final = 0.4
"""Of a cylinder's sagitta. Rendered bodies give 0.6-1.2 a limb, posters 0.0 +- 0.2 at 3 m (tests)."""
MIN_ROUND_LIMBS: Final = 2
"""And half of those measured: of rendered bodies three quarters were at least, of a poster hung in deep folds a few."""
RELIEF_M: Final = 0.09
"""Skin so far off one plane needs no round limb: knees, trunk and hands of somebody who sits close, feet out of the
picture and arms towards the camera, where no limb shows its sides. Rendered sitters of that kind give 0.11-0.33,
posters, curled and folded ones too, at most 0.07."""

_FACE: Final = (np.arange(33) > 0) & (np.arange(33) < min(SHOULDERS))


def body_refused(depth: NDArray[np.uint16], lens: Lens, network: Floats, lifted: Lifted) -> Absent | None:
    """None for a body; else `not_a_body` or `too_little_depth` with what was seen. network: (33, 3) metres, any origin.

    The network takes everybody for an adult, so the spread of all its landmarks tells a small print apart even where
    ink leaves too little depth for bones.
    """
    spread = _spread_ratio(network, lifted)
    if spread is not None and spread < TINY:
        return Absent("not_a_body", f"about {spread:.2f} times the size of an adult")
    ratios = size_ratios(lifted)
    if len(ratios) >= MIN_BONES:
        size = float(np.median(ratios))
    elif spread is not None and lifted.measured.sum() >= MIN_SPREAD:
        size = spread
    else:
        return Absent("too_little_depth", f"depth under {int(lifted.measured.sum())} of 33 landmarks; too few to tell")
    if not SIZE_RANGE[0] < size < SIZE_RANGE[1]:
        return Absent("not_a_body", f"{size:.2f} times the size of an adult")
    roundness = _roundness(depth, lens, lifted)
    needed = 0 if _relief(lifted) > RELIEF_M else MIN_ROUND_LIMBS
    if len(roundness) < needed:
        return Absent("too_little_depth", "too little depth on arms and legs to tell a body from a picture")
    if np.count_nonzero(roundness > ROUND) < max(needed, len(roundness) / 2):
        return Absent("not_a_body", f"flat: {np.median(roundness):.2f} of the roundness of arms and legs")
    return None


def size_ratios(lifted: Lifted) -> Floats:
    """Length of each bone whose both ends depth measured, by an adult's."""
    ends = np.array([(a, b) for a, b, _ in BONES])
    usual = np.array([length for *_, length in BONES])
    known = lifted.measured[ends].all(axis=1)
    lengths = np.linalg.norm(lifted.positions[ends[:, 0]] - lifted.positions[ends[:, 1]], axis=1)
    return np.asarray((lengths / usual)[known])


def _spread_ratio(network: Floats, lifted: Lifted) -> float | None:
    """Across the line of sight, where the network is good; None with fewer than six landmarks measured."""
    if lifted.measured.sum() < 6:
        return None
    own, usual = (np.linalg.norm(points[lifted.measured, :2].std(axis=0)) for points in (lifted.positions, network))
    return float(own / usual) if usual > 0 else None


def _relief(lifted: Lifted) -> float:
    """Metres between the outer tenths of the skin at the measured landmarks, across its plane; 0 with too few measured.

    The face's eleven count as one, or they would be the body.
    """
    if lifted.measured.sum() < MIN_SPREAD:
        return 0.0
    body = lifted.measured & ~_FACE
    joints = lifted.positions[body]
    skin = joints * (1 - RADII_M[body] / np.linalg.norm(joints, axis=1))[:, None]
    places = skin - skin.mean(axis=0)
    off = places @ np.linalg.eigh(places.T @ places)[1][:, 0]
    return float(np.subtract(*np.quantile(off, (0.9, 0.1))))


def _roundness(depth: NDArray[np.uint16], lens: Lens, lifted: Lifted) -> Floats:
    """For each limb with enough depth: how much its middle stands out, by how much a cylinder's would."""
    found = []
    z, focal = lifted.positions[:, 2], float(np.mean(lens.focal))
    for (a, b), radius in zip(LIMBS, LIMB_RADII_M, strict=True):
        if lifted.measured[a] and lifted.measured[b]:
            value = limb_roundness(depth, lifted.pixels[a], lifted.pixels[b], z[a], z[b], float(radius), focal)
            if value > -10:
                found.append(value)
    return np.array(found)
