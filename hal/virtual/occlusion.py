"""What a camera does not see of somebody, by position: the far side of who lies, the legs of who sits at a table. Ours.

A tracker either says that it does not see a joint, or guesses: then the joint wanders, with a low confidence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.virtual.body import STANDARD_17
from hal.virtual.movements import Position
from hal.virtual.noise import drift
from hal.virtual.rotations import Floats

_SIDES = ("left", "right")
_HIPS = ("left_hip", "right_hip")
_FAR_ARM = tuple((f"{side}_elbow", f"{side}_wrist") for side in _SIDES)
_FAR_LEG = tuple((f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in _SIDES)
_TABLE = (*_HIPS, "left_knee", "right_knee", "left_ankle", "right_ankle")

HIDDEN: dict[Position, tuple[tuple[str, ...], ...]] = {
    "supine": (_HIPS, *_FAR_ARM, *_FAR_LEG),
    "seated": (_HIPS, _TABLE),
    "standing": _FAR_ARM,
}
"""Alternatives of joints that are hidden together."""
_SHARE = (0.3, 1.0)
"""Of the recording, in one stretch."""
_GUESS_M = (0.02, 0.07)
_GUESS_S = 0.5


def occlude(
    positions: Floats,
    confidence: Floats,
    position: Position,
    watched: NDArray[np.bool_],
    rng: np.random.Generator,
) -> None:
    """Hides joints in positions (n, 17, 3) metres, or guesses them, and lowers confidence (n, 17).

    watched: (17,) joints that stay seen: a therapist puts the camera so that it sees what the exercise is about.
    """
    alternatives = HIDDEN[position]
    together = alternatives[rng.integers(len(alternatives))]
    joints = [index for index, name in enumerate(STANDARD_17) if name in together and not watched[index]]
    if not joints:
        return
    frames = len(positions)
    length = max(1, int(frames * rng.uniform(*_SHARE)))
    first = int(rng.integers(0, frames - length + 1))
    stretch = slice(first, first + length)
    if rng.random() < 0.4:
        positions[stretch, joints] = np.nan
        confidence[stretch, joints] = 0.0
    else:
        positions[stretch, joints] += rng.uniform(*_GUESS_M) * drift((length, len(joints), 3), _GUESS_S, rng)
        confidence[stretch, joints] = rng.uniform(0.1, 0.5, (length, len(joints)))
