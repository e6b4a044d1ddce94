"""A set as one person does it: when each repetition happens, and the joint angles at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hal.errors import HalError
from hal.virtual.movements import MOVEMENTS, Angles, Movement, Side
from hal.virtual.posture import ANGLES, CENTRAL, HINGES, INDEX, SIDES, angle_vector
from hal.virtual.rotations import Floats


@dataclass(frozen=True, slots=True)
class Style:
    """How someone moves. The defaults are a patient; all spreads are standard deviations.

    tempo: 1 takes the movement's own durations, 2 half of them. amplitude: share of the way to the turning point.
    tempo_spread, amplitude_spread: from repetition to repetition, as fractions; joint_spread: the same, joint by joint.
    compensation_deg: trunk lean and turn and shoulder hitching that this person adds to every repetition.
    posture_deg: how far trunk and arms rest from the textbook. sway_deg, tremor_deg: of balance, of the hands.
    pause_s: rest between repetitions, give or take half. build_spread: of the lengths of the segments, as a fraction.
    hold, back: multiply how long the turning point and the way back take. early: the power to which shares of a way's
    time are raised; below 1 most of the way is done early, above 1 late.
    """

    tempo: float = 1.0
    amplitude: float = 0.95
    tempo_spread: float = 0.08
    amplitude_spread: float = 0.04
    joint_spread: float = 0.03
    compensation_deg: float = 2.5
    posture_deg: float = 2.0
    sway_deg: float = 0.35
    tremor_deg: float = 0.06
    pause_s: float = 0.9
    build_spread: float = 0.02
    hold: float = 1.0
    back: float = 1.0
    early: float = 1.0


INSTRUCTOR = Style(
    amplitude=1.0,
    tempo_spread=0.0,
    amplitude_spread=0.0,
    joint_spread=0.0,
    compensation_deg=0.0,
    posture_deg=0.0,
    sway_deg=0.0,
    tremor_deg=0.0,
    build_spread=0.0,
)
"""Style zero: every repetition is the movement as written."""


def movement_of(exercise: str, side: str) -> tuple[Movement, Side]:
    """The movement of that exercise and the side it is done with; `HalError` where one is unknown."""
    if exercise not in MOVEMENTS:
        raise HalError(f"the virtual patient does not know the exercise {exercise!r}; it knows {', '.join(MOVEMENTS)}")
    movement = MOVEMENTS[exercise]
    for known in movement.sides:
        if side in (known, ""):
            return movement, known
    raise HalError(f"the virtual patient does {exercise!r} with side {' or '.join(movement.sides)}, not {side!r}")


def working_sides(side: Side) -> tuple[str, ...]:
    return SIDES if side == "both" else (side,)


@dataclass(frozen=True, slots=True)
class Performance:
    """A set on its own clock. Angles are (28,) degrees in the order of `hal.virtual.posture.ANGLES`.

    rest, excursion (rest to turning point), via: the movement for this person and side.
    starts, out_s, hold_s, back_s: (repetitions,) seconds; scale: (repetitions, 28), how much of each excursion is done.
    early: as in `Style`.
    """

    movement: Movement
    side: Side
    rest: Floats
    excursion: Floats
    via: Floats
    starts: Floats
    out_s: Floats
    hold_s: Floats
    back_s: Floats
    scale: Floats
    early: float = 1.0

    @property
    def end_s(self) -> float:
        """When the last repetition is over; minus infinity for mere rest."""
        return float((self.starts + self.out_s + self.hold_s + self.back_s).max(initial=-np.inf))

    def ways(self, times: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """What share of the way out, and of the way back, is done at each time, 0..1, and in which repetition.

        There is at least one repetition.
        """
        which = np.maximum(np.searchsorted(self.starts, times, side="right") - 1, 0)
        since = times - self.starts[which]
        out = np.clip(since / self.out_s[which], 0.0, 1.0)
        back = np.clip((since - self.out_s[which] - self.hold_s[which]) / self.back_s[which], 0.0, 1.0)
        return out**self.early, back**self.early, which

    def angles(self, times: Floats) -> Floats:
        """(n, 28) degrees."""
        if not len(self.starts):
            return np.tile(self.rest, (len(times), 1))
        out, back, which = self.ways(times)
        progress = minimum_jerk(out) - minimum_jerk(back)
        return self.rest + self.done(progress[:, None]) * self.scale[which]

    def done(self, progress: Floats) -> Floats:
        """(n, 28) degrees away from rest for a progress (n, 1) or (n, 28), 0 at rest and 1 at the turning point."""
        return np.asarray(progress * self.excursion + 4.0 * progress * (1.0 - progress) * self.via)


def minimum_jerk(share: Floats) -> Floats:
    """0 to 1 with rest at both ends (Flash & Hogan 1985: the profile of undisturbed human reaching)."""
    x = np.clip(share, 0.0, 1.0)
    return np.asarray(x**3 * (10.0 - 15.0 * x + 6.0 * x**2))


def perform(
    exercise: str, side: str, repetitions: int, start_s: float, style: Style, habits: Floats, rng: np.random.Generator
) -> Performance:
    """A set whose first repetition starts at start_s; with 0 repetitions, rest in the exercise's posture.

    habits: (2, 28) standard normals that make a person's resting posture and compensation their own.
    Raises `HalError` for an exercise or side the virtual patient does not know.
    """
    movement, side_done = movement_of(exercise, side)
    return perform_movement(movement, side_done, repetitions, start_s, style, habits, rng)


def perform_movement(
    movement: Movement,
    side: Side,
    repetitions: int,
    start_s: float,
    style: Style,
    habits: Floats,
    rng: np.random.Generator,
) -> Performance:
    """As `perform`, of a movement that need not be an exercise."""
    working = working_sides(side)
    rest = _rest_angles(movement, working) + style.posture_deg * habits[0] * _free(movement)
    rest[list(HINGES)] = np.maximum(rest[list(HINGES)], 1.0)
    textbook = _rest_angles(movement, working)
    excursion = on_sides(movement.turn, working, textbook) - textbook
    excursion += style.compensation_deg * habits[1] * _marked("trunk.lean", "trunk.turn", *_girdles(working))
    via = on_sides(movement.via, working, np.zeros(len(ANGLES)))

    tempo = style.tempo * np.exp(style.tempo_spread * rng.standard_normal((repetitions, 3)))
    usual_s = np.array([movement.out_s, movement.hold_s * style.hold, movement.back_s * style.back])
    out_s, hold_s, back_s = (usual_s / tempo).T
    pauses = style.pause_s * (1.0 + (rng.uniform(-0.5, 0.5, repetitions) if style.tempo_spread else 0.0))
    starts = start_s + np.concatenate([[0.0], np.cumsum(out_s + hold_s + back_s + pauses)[:-1]])[:repetitions]
    scale = style.amplitude * (1.0 + style.amplitude_spread * rng.standard_normal((repetitions, 1)))
    scale = scale * (1.0 + style.joint_spread * rng.standard_normal((repetitions, len(ANGLES))))
    scale = np.minimum(scale, _most(rest, excursion))
    return Performance(movement, side, rest, excursion, via, starts, out_s, hold_s, back_s, scale, style.early)


def on_sides(named: Angles, working: tuple[str, ...], otherwise: Floats) -> Floats:
    """(28,) degrees: what is named, for limbs on the working sides only and leans towards them; else `otherwise`."""
    vector = otherwise.copy()
    for name, value in named.items():
        if name in CENTRAL:
            sideways = name.endswith((".lean", ".turn"))
            if not sideways or len(working) == 1:
                vector[INDEX[name]] = -value if sideways and working == ("right",) else value
        else:
            for side in working:
                vector[INDEX[f"{side}.{name}"]] = value
    return vector


def _rest_angles(movement: Movement, working: tuple[str, ...]) -> Floats:
    others = {
        f"{side}.{name}": value for side in SIDES if side not in working for name, value in movement.other_rest.items()
    }
    return angle_vector({**movement.rest, **others})


def _free(movement: Movement) -> Floats:
    """(28,) ones where a resting posture is free: trunk and arms; feet, seat and back stay on what carries them."""
    arms = [f"{side}.{name}" for side in SIDES for name in ("shoulder.abduction", "elbow.flexion")]
    trunk = () if movement.position == "supine" else ("trunk.flexion", "trunk.lean", "head.flexion")
    return _marked(*arms, *trunk)


def _girdles(working: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{side}.girdle.elevation" for side in working)


def _marked(*names: str) -> Floats:
    vector = np.zeros(len(ANGLES))
    vector[[INDEX[name] for name in names]] = 1.0
    return vector


def _most(rest: Floats, excursion: Floats) -> Floats:
    """(28,): the scale up to which each excursion may go before an elbow or a knee bends backwards; else infinite."""
    most = np.full(len(ANGLES), np.inf)
    for hinge in HINGES:
        if excursion[hinge] < 0:
            most[hinge] = -rest[hinge] / excursion[hinge]
    return most
