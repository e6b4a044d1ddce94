"""Movements that are none of the sixteen: what a classifier must call another, or be unsure of. All of them ours."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hal.virtual.movements import MOVEMENTS, Movement, Position, Side
from hal.virtual.rotations import Floats

_STANDING = MOVEMENTS["heel_raise"].rest
_SITTING = MOVEMENTS["seated_shoulder_flexion"].rest
_LYING = MOVEMENTS["supine_shoulder_flexion"].rest
_ONE: tuple[Side, ...] = ("left", "right")


def _standing(**angles: float) -> Movement:
    return Movement("standing", _STANDING, _dotted(angles), held="both", feet="both", sides=_ONE)


def _on_one_leg(**angles: float) -> Movement:
    return Movement("standing", _STANDING, _dotted(angles), held="other", feet="other", sides=_ONE)


def _seated(**angles: float) -> Movement:
    return Movement("seated", _SITTING, _dotted(angles), feet="other", sides=_ONE)


def _lying(**angles: float) -> Movement:
    return Movement("supine", _LYING, _dotted(angles), sides=_ONE)


def _dotted(angles: dict[str, float]) -> dict[str, float]:
    return {name.replace("_", "."): value for name, value in angles.items()}


TRAINING = {
    "twist": _standing(trunk_turn=50.0, shoulder_flexion=60.0, elbow_flexion=80.0),
    "toe touch": _standing(pelvis_pitch=45.0, trunk_flexion=60.0, shoulder_flexion=85.0),
    "curl": _standing(elbow_flexion=135.0),
    "heel to seat": _on_one_leg(knee_flexion=105.0, hip_flexion=-8.0),
    "seated step": _seated(hip_flexion=112.0, knee_flexion=95.0),
    "knee to chest": _lying(hip_flexion=110.0, knee_flexion=130.0, trunk_flexion=12.0),
    "punch up": _lying(shoulder_flexion=90.0, girdle_elevation=6.0),
}
TESTS = {
    "side bend": _standing(trunk_lean=36.0, shoulder_abduction=20.0),
    "kick back": _on_one_leg(hip_flexion=-32.0, pelvis_pitch=14.0),
    "hand to head": _standing(shoulder_flexion=95.0, shoulder_abduction=25.0, elbow_flexion=135.0),
    "seated twist": _seated(trunk_turn=48.0, shoulder_flexion=50.0, elbow_flexion=90.0),
    "seated rotation": _seated(shoulder_abduction=80.0, elbow_flexion=90.0, shoulder_rotation=60.0),
    "crunch": _lying(trunk_flexion=38.0, head_flexion=18.0, shoulder_flexion=20.0),
    "hug": _lying(shoulder_flexion=70.0, shoulder_rotation=50.0, elbow_flexion=110.0),
}

_FREE = {
    "trunk.flexion": (0.0, 40.0),
    "trunk.lean": (-25.0, 25.0),
    "trunk.turn": (-35.0, 35.0),
    "head.flexion": (-20.0, 35.0),
    "shoulder.flexion": (20.0, 90.0),
    "shoulder.abduction": (10.0, 80.0),
    "elbow.flexion": (10.0, 95.0),
    "hip.flexion": (10.0, 80.0),
    "knee.flexion": (10.0, 110.0),
}
_ABLE: dict[Position, tuple[str, ...]] = {
    "standing": tuple(_FREE),
    "seated": tuple(name for name in _FREE if name != "hip.flexion"),
    "supine": ("shoulder.flexion", "shoulder.abduction", "elbow.flexion", "hip.flexion"),
}
"""What presses nothing through the bed or, from a seat, through the floor."""
_WINDING = ("shoulder.abduction", "trunk.flexion", "trunk.lean", "trunk.turn")


def any_movement(rng: np.random.Generator) -> Movement:
    """Three to five angles that go somewhere at random and by a way of their own; standing, on the other leg."""
    positions: tuple[Position, ...] = ("standing", "seated", "supine")
    position = positions[rng.integers(3)]
    rest = {"standing": _STANDING, "seated": _SITTING, "supine": _LYING}[position]
    names = [str(name) for name in rng.permutation(_ABLE[position])[: rng.integers(3, 6)]]
    turn = {name: float(rng.uniform(*_FREE[name])) for name in names}
    via = {name: float(rng.uniform(-20.0, 20.0)) for name in names if name in _WINDING}
    if position == "supine":
        return Movement(position, rest, turn, via=via, sides=_ONE)
    held: Literal["pelvis", "other"] = "other" if position == "standing" else "pelvis"
    return Movement(position, rest, turn, via=via, held=held, feet="other", sides=_ONE)


def shuffled(times: Floats, rng: np.random.Generator) -> Floats:
    """These times (n,) in another order: cut into five to twelve pieces that change places, half of them backwards."""
    count = int(rng.integers(5, 13))
    pieces = np.array_split(times, np.sort(rng.choice(np.arange(1, len(times)), count - 1, replace=False)))
    turned = [piece[::-1] if rng.random() < 0.5 else piece for piece in pieces]
    return np.concatenate([turned[index] for index in rng.permutation(count)])
