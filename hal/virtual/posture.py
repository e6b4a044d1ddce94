"""Joint angles to a pose: forward kinematics, then feet that stand on the floor are kept there.

Angles are in degrees and anatomical: flexion forward (a knee's backward), abduction away from the midline, rotation
inward, all 0 for an upright body with hanging arms. Trunk lean and turn are positive to the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hal.virtual.body import LEVELS, RIGID, BodyShape, Pose
from hal.virtual.rotations import Floats, cross, from_xzy

CENTRAL = (
    "pelvis.pitch", "pelvis.lean",
    "trunk.flexion", "trunk.lean", "trunk.turn",
    "head.flexion",
)  # fmt: skip
LIMB = (
    "girdle.elevation",
    "shoulder.flexion", "shoulder.abduction", "shoulder.rotation",
    "elbow.flexion", "wrist.flexion",
    "hip.flexion", "hip.abduction",
    "knee.flexion", "ankle.dorsiflexion",
    "heel.rise",
)  # fmt: skip
"""`heel.rise` is the pitch of a foot whose ball is on the floor; the leg's other angles follow from its reach."""
SIDES = ("left", "right")
ANGLES = CENTRAL + tuple(f"{side}.{name}" for side in SIDES for name in LIMB)
INDEX = {name: index for index, name in enumerate(ANGLES)}
HINGES = tuple(INDEX[f"{side}.{joint}.flexion"] for side in SIDES for joint in ("elbow", "knee"))
"""Angles that must not fall below zero: nobody's elbow or knee bends backwards."""


def angle_vector(posture: Mapping[str, float]) -> Floats:
    """(28,) degrees from names; what is not named is 0. A name without a side means both sides."""
    vector = np.zeros(len(ANGLES))
    for name, value in posture.items():
        for full in (name,) if name in INDEX else tuple(f"{side}.{name}" for side in SIDES):
            vector[INDEX[full]] = value
    return vector


def _angles_to_axes() -> NDArray[np.float64]:
    """(28, 18 * 3): which angle turns which segment about its x (flexion), z (sideways) and y (along) axis, and how."""
    matrix = np.zeros((len(ANGLES), len(RIGID), 3))

    def turn(angle: str, segment: str, axis: int, factor: float) -> None:
        matrix[INDEX[angle], RIGID.index(segment), axis] = factor

    turn("pelvis.pitch", "pelvis", 0, 1.0)
    turn("pelvis.lean", "pelvis", 1, -1.0)
    for segment in ("lumbar", "thorax"):
        turn("trunk.flexion", segment, 0, 0.5)
        turn("trunk.lean", segment, 1, -0.5)
        turn("trunk.turn", segment, 2, 0.5)
    turn("head.flexion", "head", 0, 1.0)
    for side, mirror in (("left", 1.0), ("right", -1.0)):
        for angle, segment, axis, factor in (
            ("girdle.elevation", "girdle", 1, mirror),
            ("shoulder.flexion", "arm", 0, -1.0),
            ("shoulder.abduction", "arm", 1, mirror),
            ("shoulder.rotation", "arm", 2, -mirror),
            ("elbow.flexion", "forearm", 0, -1.0),
            ("wrist.flexion", "hand", 0, -1.0),
            ("hip.flexion", "thigh", 0, -1.0),
            ("hip.abduction", "thigh", 1, mirror),
            ("knee.flexion", "shank", 0, 1.0),
            ("ankle.dorsiflexion", "foot", 0, -1.0),
        ):
            turn(f"{side}.{angle}", f"{side}_{segment}", axis, factor)
    return matrix.reshape(len(ANGLES), -1)


_TO_AXES = np.radians(_angles_to_axes())


def _hanging(angles: Floats) -> Pose:
    """The pose that these angles (n, 28) alone give, pelvis at the origin."""
    turns = from_xzy((angles @ _TO_AXES).reshape(len(angles), len(RIGID), 3))
    for children, parents in LEVELS:
        turns[:, children] = np.matmul(turns[:, parents], turns[:, children])
    return Pose(np.zeros((len(angles), 3)), turns)


@dataclass(frozen=True, slots=True)
class Footing:
    """What holds the body to the floor: points whose mean stays where it was at rest, and the sides whose foot stands.

    held_at: (3,) the held points' mean; balls: (2, 3) where the balls of the left and the right foot are at rest.
    """

    held: tuple[str, ...]
    standing: tuple[str, ...]
    held_at: Floats
    balls: Floats


_BALLS = ("left_ball", "right_ball")
_LYING_HEIGHT = 0.055
"""Height of the pelvis of someone lying, in fractions of stature: half the depth of the hips (ours)."""


def footing(shape: BodyShape, rest: Floats, held: tuple[str, ...], standing: tuple[str, ...], lying: bool) -> Footing:
    """How a person who rests at these angles (28,) touches the floor: y = 0 under the lower foot, or under the back."""
    pose = _hanging(rest[None])
    balls = shape.place(pose, _BALLS)[0]
    lift = _LYING_HEIGHT * shape.stature_m if lying else -float(balls[:, 1].min())
    balls[:, 1] = 0.0
    held_at = _held_mean(shape, pose, held, standing, rest[None])[0] + np.array([0.0, lift, 0.0])
    return Footing(held, standing, held_at, balls)


def stand(shape: BodyShape, angles: Floats, on: Footing) -> Pose:
    """The pose at angles (n, 28) with the held points held and each standing foot's ball where it was at rest.

    A standing leg's hip and knee follow from where hip and foot are (two links, knee forward of the line between them,
    or turned outwards about it by the hip's abduction); one that cannot reach is straight.
    """
    swing = [INDEX[f"{side}.hip.abduction"] for side in on.standing]
    hanging = angles
    if angles[:, swing].any():
        hanging = angles.copy()
        hanging[:, swing] = 0.0  # where the pelvis is does not depend on where the knees point
    pose = _hanging(hanging)
    pelvis = on.held_at - _held_mean(shape, pose, on.held, on.standing, angles)
    pose = Pose(pelvis, pose.rotations)
    for side in on.standing:
        foot = _foot(angles, side)
        ankle = on.balls[SIDES.index(side)] - foot @ shape.offset(f"{side}_ball")
        hip = shape.place(pose, (f"{side}_hip",))[:, 0]
        outward = angles[:, INDEX[f"{side}.hip.abduction"]] * (1.0 if side == "left" else -1.0)
        thigh, shank = _reach(
            hip, ankle, pose.rotations[:, 0, :, 0], outward, shape.length(f"{side}_knee"), shape.length(f"{side}_ankle")
        )
        for segment, rotation in (("thigh", thigh), ("shank", shank), ("foot", foot)):
            pose.rotations[:, RIGID.index(f"{side}_{segment}")] = rotation
    return pose


def _held_mean(
    shape: BodyShape, pose: Pose, held: tuple[str, ...], standing: tuple[str, ...], angles: Floats
) -> Floats:
    """(n, 3): the mean of the held points; a standing foot's ball is taken with the foot pitched as it stands."""
    places = []
    for point in held:
        side = point.split("_")[0]
        if point in _BALLS and side in standing:
            ankle = shape.place(pose, (f"{side}_ankle",))[:, 0]
            places.append(ankle + _foot(angles, side) @ shape.offset(point))
        else:
            places.append(shape.place(pose, (point,))[:, 0])
    return np.asarray(np.mean(places, axis=0))


def _foot(angles: Floats, side: str) -> Floats:
    """(n, 3, 3): a standing foot, flat but for its raised heel."""
    turn = np.zeros((len(angles), 3))
    turn[:, 0] = np.radians(angles[:, INDEX[f"{side}.heel.rise"]])
    return from_xzy(turn)


def _reach(
    hip: Floats, ankle: Floats, left: Floats, turned: Floats, thigh_m: float, shank_m: float
) -> tuple[Floats, Floats]:
    """Rotations (n, 3, 3) of thigh and shank that bring the ankle there, the knee's axis near to `left`.

    turned: (n,) degrees by which the knee then swings to the left about the line from hip to ankle.
    """
    line = ankle - hip
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    line = line / distance
    distance = np.clip(distance, 1.001 * abs(thigh_m - shank_m), 0.99999 * (thigh_m + shank_m))
    axis = left - (left * line).sum(axis=1, keepdims=True) * line
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    forward = cross(axis, -line)
    if turned.any():
        sine, cosine = np.sin(np.radians(turned))[:, None], np.cos(np.radians(turned))[:, None]
        axis, forward = cosine * axis - sine * forward, cosine * forward + sine * axis
    along = (thigh_m**2 - shank_m**2 + distance**2) / (2 * distance)
    knee = along * line + np.sqrt(thigh_m**2 - along**2) * forward
    thigh, shank = -knee / thigh_m, (knee - distance * line) / shank_m
    return (
        np.stack([axis, thigh, cross(axis, thigh)], axis=2),
        np.stack([axis, shank, cross(axis, shank)], axis=2),
    )
