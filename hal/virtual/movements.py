"""The sixteen movements as data: the posture at rest, what changes until the turning point, and what stays put.

The ids are those of `config/exercises`. FineRehab states the positions (01-07 lying on the back, then seated and
upright) and that movement 11 is raising the heels; which the others are, and every angle and duration, is ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Position = Literal["supine", "seated", "standing"]
Side = Literal["left", "right", "both"]
Angles = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the working side (or of both); angles as in `hal.virtual.posture`, degrees.

    rest: posture before, between and after repetitions, of both sides; `other_rest` is what the other side has instead.
    turn: angles at the turning point that differ from rest: of trunk and head, and of the working side. A trunk's lean
    or turn is positive towards the working side (and left out where both sides work).
    via: added half way, 0 at both ends: a movement that is not straight from rest to turning point.
    held: points whose mean stays where it is; `other` and `both` name the balls of those feet.
    feet: which feet stand on the floor.
    """

    position: Position
    rest: Angles
    turn: Angles
    other_rest: Angles = field(default_factory=dict)
    via: Angles = field(default_factory=dict)
    held: Literal["pelvis", "shoulders", "both", "other"] = "pelvis"
    feet: Literal["none", "both", "other"] = "none"
    sides: tuple[Side, ...] = ("left", "right", "both")
    out_s: float = 1.5
    hold_s: float = 0.4
    back_s: float = 1.5


_LYING = {
    "pelvis.pitch": -90.0,
    "shoulder.abduction": 12.0,
    "elbow.flexion": 6.0,
    "hip.abduction": 4.0,
    "knee.flexion": 3.0,
    "hip.flexion": 1.5,
    "ankle.dorsiflexion": -15.0,
}
_KNEE_UP = {"hip.flexion": 48.0, "knee.flexion": 102.0, "hip.abduction": 0.0, "ankle.dorsiflexion": -36.0}
_SITTING = {
    "hip.flexion": 86.0,
    "knee.flexion": 88.0,
    "ankle.dorsiflexion": 2.0,
    "shoulder.flexion": 12.0,
    "shoulder.abduction": 6.0,
    "elbow.flexion": 62.0,
}
_SITTING_ARMS_DOWN = _SITTING | {"shoulder.flexion": 0.0, "shoulder.abduction": 10.0, "elbow.flexion": 8.0}
_STANDING = {
    "hip.flexion": 4.0,
    "knee.flexion": 8.0,
    "ankle.dorsiflexion": 4.0,
    "shoulder.abduction": 8.0,
    "elbow.flexion": 8.0,
}
_ARMS_CROSSED = {"shoulder.flexion": 35.0, "shoulder.abduction": 0.0, "shoulder.rotation": 45.0, "elbow.flexion": 115.0}
_ONE_LEG: tuple[Side, ...] = ("left", "right")
_SYMMETRIC: tuple[Side, ...] = ("both",)

MOVEMENTS: dict[str, Movement] = {
    "supine_shoulder_flexion": Movement(
        "supine", _LYING, {"shoulder.flexion": 160.0, "girdle.elevation": 12.0}, out_s=1.8, back_s=1.8
    ),
    "supine_elbow_flexion": Movement("supine", _LYING, {"elbow.flexion": 132.0}, out_s=1.3, back_s=1.3),
    "supine_shoulder_abduction": Movement(
        "supine",
        _LYING,
        {"shoulder.abduction": 130.0, "shoulder.rotation": -70.0, "girdle.elevation": 18.0},
        out_s=1.8,
        back_s=1.8,
    ),
    "supine_heel_slide": Movement(
        "supine",
        _LYING,
        {"hip.flexion": 50.0, "knee.flexion": 100.0, "ankle.dorsiflexion": -30.0},
        out_s=1.8,
        back_s=1.8,
    ),
    "supine_straight_leg_raise": Movement(
        "supine", _LYING, {"hip.flexion": 58.0, "ankle.dorsiflexion": 0.0}, other_rest=_KNEE_UP, feet="other"
    ),
    "supine_hip_abduction": Movement("supine", _LYING, {"hip.abduction": 34.0}),
    "supine_bridge": Movement(
        "supine",
        _LYING | _KNEE_UP,
        {"pelvis.pitch": -116.0, "head.flexion": 26.0, "shoulder.flexion": -26.0},
        held="shoulders",
        feet="both",
        sides=_SYMMETRIC,
        hold_s=0.8,
    ),
    "seated_shoulder_flexion": Movement(
        "seated",
        _SITTING_ARMS_DOWN,
        {"shoulder.flexion": 155.0, "girdle.elevation": 12.0},
        feet="both",
        out_s=1.8,
        back_s=1.8,
    ),
    "seated_trunk_forward_lean": Movement(
        "seated",
        _SITTING,
        {
            "pelvis.pitch": 28.0,
            "trunk.flexion": 18.0,
            "head.flexion": -8.0,
            "shoulder.flexion": 52.0,
            "elbow.flexion": 30.0,
        },
        feet="both",
        sides=_SYMMETRIC,
        out_s=1.8,
        back_s=1.8,
    ),
    "seated_knee_extension": Movement(
        "seated", _SITTING, {"knee.flexion": 8.0, "ankle.dorsiflexion": 10.0}, feet="other"
    ),
    "heel_raise": Movement(
        "standing",
        _STANDING,
        {"heel.rise": 34.0, "knee.flexion": 5.0, "hip.flexion": 2.5, "ankle.dorsiflexion": 2.5},
        held="both",
        feet="both",
        sides=_SYMMETRIC,
        out_s=1.0,
        hold_s=0.6,
        back_s=1.1,
    ),
    "sit_to_stand": Movement(
        "seated",
        _SITTING | _ARMS_CROSSED | {"knee.flexion": 100.0, "hip.flexion": 86.0, "ankle.dorsiflexion": 14.0},
        {"knee.flexion": 8.0, "hip.flexion": 4.0, "ankle.dorsiflexion": 4.0},
        via={"pelvis.pitch": 34.0, "hip.flexion": 34.0, "trunk.flexion": 10.0, "head.flexion": -22.0},
        held="both",
        feet="both",
        sides=_SYMMETRIC,
        out_s=1.8,
        hold_s=0.6,
        back_s=2.0,
    ),
    "shoulder_abduction": Movement(
        "standing",
        _STANDING,
        {"shoulder.abduction": 125.0, "shoulder.rotation": -70.0, "girdle.elevation": 18.0},
        held="both",
        feet="both",
        out_s=1.8,
        back_s=1.8,
    ),
    "hip_abduction": Movement(
        "standing",
        _STANDING,
        {"hip.abduction": 30.0, "pelvis.lean": -3.0, "trunk.lean": 1.5},
        held="other",
        feet="other",
        sides=_ONE_LEG,
    ),
    "squat": Movement(
        "standing",
        _STANDING | _ARMS_CROSSED,
        {
            "pelvis.pitch": 34.0,
            "trunk.flexion": 6.0,
            "head.flexion": -28.0,
            "hip.flexion": 99.0,
            "knee.flexion": 94.0,
            "ankle.dorsiflexion": 29.0,
        },
        held="both",
        feet="both",
        sides=_SYMMETRIC,
    ),
    "marching": Movement(
        "standing",
        _STANDING,
        {"hip.flexion": 82.0, "knee.flexion": 88.0, "pelvis.lean": -2.0},
        held="other",
        feet="other",
        sides=_ONE_LEG,
        out_s=1.1,
        hold_s=0.2,
        back_s=1.1,
    ),
}
"""By id, in FineRehab's order of positions."""
