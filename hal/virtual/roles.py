"""The five parts of the body, and what each does in a movement.

FineRehab (CVPRW 2024) grades by body part; that these are the five, and which part has which role, is ours, because
which movements the paper's are is ours too.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from hal.virtual.body import STANDARD_17
from hal.virtual.movements import Side
from hal.virtual.performance import movement_of, working_sides
from hal.virtual.posture import ANGLES, CENTRAL, LIMB

Part = Literal["trunk", "left_arm", "right_arm", "left_leg", "right_leg"]
PARTS: tuple[Part, ...] = get_args(Part)
"""The trunk is with the head."""

_LEGS: tuple[Part, ...] = ("left_leg", "right_leg")
CHAINS: dict[str, tuple[Part, ...]] = {
    "supine_bridge": _LEGS,
    "seated_trunk_forward_lean": ("trunk",),
    "heel_raise": _LEGS,
    "sit_to_stand": _LEGS,
    "squat": _LEGS,
}
"""Movements in which these parts move the whole body as one: both legs carry one pelvis, and no leg can go further or
later than the other."""
_BY_ARM = {
    "supine_shoulder_flexion",
    "supine_elbow_flexion",
    "supine_shoulder_abduction",
    "seated_shoulder_flexion",
    "shoulder_abduction",
}


def active_parts(exercise: str, side: str) -> tuple[Part, ...]:
    """The parts whose primary joints do the movement; `HalError` for an exercise or side that is unknown."""
    _, done = movement_of(exercise, side)
    return CHAINS.get(exercise) or tuple(_limb(name, exercise) for name in working_sides(done))


def resting_limb(exercise: str, side: Side) -> Part | None:
    """The arm or leg that rests while its fellow does the movement; None where both work, or the whole body does."""
    if side == "both" or exercise in CHAINS:
        return None
    return _limb("right" if side == "left" else "left", exercise)


def _limb(side: str, exercise: str) -> Part:
    return _named(f"{side}_arm" if exercise in _BY_ARM else f"{side}_leg")


def _named(name: str) -> Part:
    return PARTS[[str(part) for part in PARTS].index(name)]


def _part_of(angle: str) -> Part:
    if angle in CENTRAL:
        return "trunk"
    side, name = angle.split(".", 1)
    return _named(f"{side}_{'arm' if LIMB.index(name) < LIMB.index('hip.flexion') else 'leg'}")


PART_OF_ANGLE = np.array([PARTS.index(_part_of(angle)) for angle in ANGLES])
"""(28,): the index in `PARTS` of the part that each of `hal.virtual.posture.ANGLES` moves."""


def _part_of_joint(joint: str) -> Part:
    side, _, name = joint.partition("_")
    return _named(f"{side}_{'arm' if name in ('shoulder', 'elbow', 'wrist') else 'leg'}") if name else "trunk"


PART_OF_JOINT = np.array([PARTS.index(_part_of_joint(joint)) for joint in STANDARD_17])
"""(17,): the index in `PARTS` of the part that each joint of the standard skeleton belongs to."""
