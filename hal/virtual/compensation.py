"""How a body helps itself when it cannot do a movement as shown: the trunk leans, the girdle hitches, a limb helps.

FineRehab's correction asks for compensation by all involved joints; which joints, and how far, is ours, after what
therapists are taught to look for: leaning away from a raised arm and hitching its shoulder (Levin, Kleim & Wolf 2009,
"What do motor recovery and compensation mean in patients following stroke?"), a pelvis that is hitched or dropped and
a trunk that leans when a leg is lifted, knees that fall inwards under load, hands that push, a limb that moves along.
"""

from __future__ import annotations

from dataclasses import dataclass

from hal.virtual.movements import Angles
from hal.virtual.performance import movement_of
from hal.virtual.roles import PARTS, Part, resting_limb

Patterns = tuple[Angles, ...]


@dataclass(frozen=True, slots=True)
class Compensation:
    """What each part adds in a movement when it compensates grossly: alternatives, of which people mix their own.

    Angles as in `hal.virtual.movements.Movement.turn`: degrees, leans and turns positive towards the working side.
    arms, legs: of the working side or sides, or of both where that kind of limb does not work; other: of the limb that
    rests while its fellow works. A part with no alternatives does not compensate.
    midway: largest half way to the turning point rather than there.
    """

    trunk: Patterns
    arms: Patterns = ()
    legs: Patterns = ()
    other: Patterns = ()
    midway: bool = False


_HITCH: Patterns = ({"girdle.elevation": 26.0, "elbow.flexion": 40.0}, {"elbow.flexion": 65.0})
_ARM_ALONG: Patterns = ({"shoulder.flexion": 55.0, "elbow.flexion": 20.0}, {"shoulder.abduction": 50.0})
_ARMS_OUT: Patterns = ({"shoulder.abduction": 45.0}, {"shoulder.flexion": 40.0, "elbow.flexion": 20.0})
_ARMS_PRESS: Patterns = ({"shoulder.abduction": 40.0}, {"elbow.flexion": 70.0})
_FREE_LEG: Patterns = ({"hip.flexion": 38.0, "knee.flexion": 76.0, "ankle.dorsiflexion": -20.0},)
_SEATED_LEG: Patterns = ({"heel.rise": 34.0}, {"hip.abduction": 30.0})
_VAULT: Patterns = ({"heel.rise": 36.0},)
_KNEE_FALLS: Patterns = ({"hip.abduction": -34.0},)
_LYING_TRUNK: Patterns = ({"trunk.lean": -20.0}, {"trunk.flexion": 16.0})
_UPRIGHT_TRUNK: Patterns = ({"trunk.lean": -28.0}, {"trunk.flexion": -24.0}, {"trunk.turn": 32.0})
_BENT_TRUNK: Patterns = ({"trunk.lean": -26.0}, {"trunk.flexion": 30.0}, {"trunk.turn": 30.0})

COMPENSATIONS: dict[str, Compensation] = {
    "supine_shoulder_flexion": Compensation(
        _LYING_TRUNK,
        ({"girdle.elevation": 26.0, "shoulder.abduction": 18.0}, {"shoulder.abduction": 40.0}),
        _FREE_LEG,
        _ARM_ALONG,
    ),
    "supine_elbow_flexion": Compensation(
        _LYING_TRUNK, ({"shoulder.flexion": 40.0}, {"shoulder.abduction": 42.0}), _FREE_LEG, _ARM_ALONG
    ),
    "supine_shoulder_abduction": Compensation(_LYING_TRUNK, _HITCH, _FREE_LEG, _ARM_ALONG),
    "supine_heel_slide": Compensation(
        _LYING_TRUNK, _ARMS_PRESS, ({"hip.abduction": 24.0, "hip.flexion": 18.0},), _FREE_LEG
    ),
    "supine_straight_leg_raise": Compensation(
        _LYING_TRUNK, _ARMS_PRESS, ({"knee.flexion": 36.0}, {"hip.abduction": 30.0}), _KNEE_FALLS
    ),
    "supine_hip_abduction": Compensation(
        _LYING_TRUNK, _ARMS_PRESS, ({"hip.flexion": 32.0, "knee.flexion": 60.0},), _FREE_LEG
    ),
    "supine_bridge": Compensation(
        ({"trunk.lean": -13.0}, {"trunk.flexion": -22.0, "head.flexion": 20.0}), _ARMS_PRESS, _KNEE_FALLS
    ),
    "seated_shoulder_flexion": Compensation(_UPRIGHT_TRUNK, _HITCH, _SEATED_LEG, _ARM_ALONG),
    "seated_trunk_forward_lean": Compensation(
        ({"trunk.lean": -26.0}, {"trunk.turn": 32.0}, {"head.flexion": 40.0}),
        ({"elbow.flexion": 50.0}, {"girdle.elevation": 24.0, "shoulder.abduction": 30.0}),
        _SEATED_LEG,
    ),
    "seated_knee_extension": Compensation(
        _UPRIGHT_TRUNK,
        ({"shoulder.flexion": -35.0, "elbow.flexion": -35.0}, {"girdle.elevation": 22.0, "shoulder.abduction": 25.0}),
        ({"hip.flexion": 24.0}, {"hip.abduction": 26.0}),
        _SEATED_LEG,
    ),
    "heel_raise": Compensation(_BENT_TRUNK, _ARMS_OUT, ({"hip.flexion": 20.0, "knee.flexion": 42.0},)),
    "sit_to_stand": Compensation(
        _BENT_TRUNK,
        ({"shoulder.flexion": -25.0, "shoulder.rotation": -40.0, "elbow.flexion": -75.0}, _ARMS_OUT[0]),
        _KNEE_FALLS,
        midway=True,
    ),
    "shoulder_abduction": Compensation(_UPRIGHT_TRUNK, _HITCH, (), _ARM_ALONG),
    "hip_abduction": Compensation(
        ({"trunk.lean": -28.0}, {"trunk.flexion": 28.0}, {"pelvis.lean": -14.0, "trunk.lean": 10.0}),
        _ARMS_OUT,
        ({"hip.flexion": 32.0, "knee.flexion": 60.0},),
        _VAULT,
    ),
    "squat": Compensation(
        _BENT_TRUNK,
        ({"shoulder.flexion": 45.0, "shoulder.rotation": -40.0, "elbow.flexion": -70.0}, _ARMS_OUT[0]),
        _KNEE_FALLS,
    ),
    "marching": Compensation(
        ({"trunk.flexion": -24.0}, {"trunk.lean": -26.0}, {"pelvis.lean": -14.0, "trunk.lean": 10.0}),
        _ARMS_OUT,
        ({"hip.abduction": 32.0},),
        _VAULT,
    ),
}
"""By movement. A standing leg's hip.abduction lets its knee fall outwards or inwards (`hal.virtual.posture.stand`)."""


def patterns(exercise: str, side: str) -> dict[Part, Patterns]:
    """Each part that can compensate in that movement, and its alternatives; raises `HalError` as `movement_of`."""
    _, done = movement_of(exercise, side)
    found, resting = COMPENSATIONS[exercise], resting_limb(exercise, done)
    of_part = {
        part: {"trunk": found.trunk, "arm": found.arms, "leg": found.legs}[part.split("_")[-1]] for part in PARTS
    }
    if resting is not None:
        of_part[resting] = found.other
    return {part: alternatives for part, alternatives in of_part.items() if alternatives}
