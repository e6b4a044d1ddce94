"""Pairs of a reference and a performance with exact labels, for training a judge of movements and for trying it.

Family "training" and family "test" share no family of people, no camera and no foreign movement.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hal.errors import HalError
from hal.virtual import foreign, people, tracking
from hal.virtual.body import STANDARD_17
from hal.virtual.foreign import any_movement, shuffled
from hal.virtual.impaired import ImpairedPerformance, impair
from hal.virtual.impairment import DIMENSIONS, drawn
from hal.virtual.movements import MOVEMENTS, Movement, Side
from hal.virtual.noise import RATE_HZ
from hal.virtual.patient import stance
from hal.virtual.people import People, Person
from hal.virtual.performance import Performance, perform_movement
from hal.virtual.posture import stand
from hal.virtual.roles import PART_OF_JOINT, PARTS, active_parts
from hal.virtual.rotations import Floats, from_xzy
from hal.virtual.tracking import Tracker
from hal.virtual.unsteadiness import unsteadiness

Kind = Literal["asked", "mistaken", "foreign", "shuffled"]
OTHER = "other"
_INSTRUCTORS = 3
"""References of one exercise and side in a family: each is seen anew by a camera every time."""
_JITTER_S, _LOST_FRAMES = 0.001, (0.0, 0.03)
_OFF_CENTRE_M = (-0.5, 0.5)
_ANYTHING = 0.4
"""Share of foreign movements that are any at random; the others are the family's own."""


@dataclass(frozen=True, slots=True)
class Family:
    """Whom it draws, seen by what; foreign: the movements that its strangers do, besides any at random."""

    people: Mapping[str, People]
    trackers: Mapping[str, Tracker]
    foreign: Mapping[str, Movement]


FAMILIES = {
    "training": Family(people.TRAINING, tracking.TRAINING, foreign.TRAINING),
    "test": Family(people.TESTS, tracking.TESTS, foreign.TESTS),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A recording. times: (frames,) seconds, increasing. positions: (frames, 17, 3) metres, stage axes, NaN where not
    seen. confidence: (frames, 17), 0 there. bounds: (repetitions, 2) seconds, where each begins and ends."""

    times: Floats
    positions: Floats
    confidence: Floats
    bounds: Floats


@dataclass(frozen=True, slots=True)
class Case:
    """One person asked for one exercise.

    kind: "asked" who does it, however badly; "mistaken" who does another of the sixteen; "foreign" who does none of
    them; "shuffled" whose pieces of it come in another order. movement: what was done, `OTHER` for the last two.
    side: as asked. grades: (3, 5) int8 A_ij by `DIMENSIONS` and `PARTS`, -1 throughout where it was not done as asked.
    people, tracker: the families' names.
    """

    kind: Kind
    exercise: str
    side: Side
    movement: str
    grades: NDArray[np.int8]
    people: str
    tracker: str
    reference: Seen
    performed: Seen


def cases(
    family: str, count: int, seed: int, repetitions: tuple[int, int] = (1, 1), strange: float = 0.2, first: int = 0
) -> Iterator[Case]:
    """`count` cases; the one at an index is the same whatever the count. Exercises and sides come by equal chances.

    repetitions: the fewest and the most in a recording; reference and performance have the same. strange: the share of
    cases that are not done as asked. first: the index to begin with. Raises `HalError` for a family it does not know.
    """
    if family not in FAMILIES:
        raise HalError(f"there is no family of virtual patients {family!r}; there are {', '.join(FAMILIES)}")
    for index in range(first, first + count):
        rng = np.random.default_rng([seed, zlib.crc32(family.encode()), index])
        yield _case(family, int(rng.integers(repetitions[0], repetitions[1] + 1)), strange, rng)


def _case(family: str, repetitions: int, strange: float, rng: np.random.Generator) -> Case:
    of = FAMILIES[family]
    exercise, side = _any_of_the_sixteen(rng)
    who, by = _any(of.people, rng), _any(of.trackers, rng)
    person, tracker = of.people[who].somebody(rng), of.trackers[by]
    kinds: tuple[Kind, ...] = ("mistaken", "foreign", "shuffled")
    kind: Kind = kinds[rng.integers(len(kinds))] if rng.random() < strange else "asked"

    movement, of_side, name = MOVEMENTS[exercise], side, exercise
    if kind == "mistaken":
        while name == exercise:
            name, of_side = _any_of_the_sixteen(rng)
        movement = MOVEMENTS[name]
    elif kind == "foreign":
        name, movement = OTHER, _foreign(of, rng)
        of_side = movement.sides[rng.integers(len(movement.sides))]
    elif kind == "shuffled":
        name = OTHER

    meant = perform_movement(movement, of_side, repetitions, person.before_s, person.style, person.habits, rng)
    done: Performance | ImpairedPerformance = meant
    grades = np.full((len(DIMENSIONS), len(PARTS)), -1, np.int8)
    if kind == "asked":
        impairment = drawn(exercise, side, rng)
        done, grades = impair(meant, exercise, impairment, rng), impairment.grades()

    times = _frames(meant.end_s + person.after_s, rng)
    joints = _joints(person, meant, done, shuffled(times, rng) if kind == "shuffled" else times, rng)
    watched = np.isin(PART_OF_JOINT, [PARTS.index(part) for part in active_parts(exercise, side)])
    performed = Seen(times, *tracker.see(joints, movement.position, watched, rng), _bounds(meant))
    reference = _seen_reference(family, exercise, side, repetitions, rng)
    return Case(kind, exercise, side, name, grades, who, by, reference, performed)


def _any(of: Mapping[str, object], rng: np.random.Generator) -> str:
    return list(of)[rng.integers(len(of))]


def _any_of_the_sixteen(rng: np.random.Generator) -> tuple[str, Side]:
    exercise = _any(MOVEMENTS, rng)
    sides = MOVEMENTS[exercise].sides
    return exercise, sides[rng.integers(len(sides))]


def _foreign(of: Family, rng: np.random.Generator) -> Movement:
    return any_movement(rng) if rng.random() < _ANYTHING else of.foreign[_any(of.foreign, rng)]


def _bounds(performance: Performance) -> Floats:
    lasts = performance.out_s + performance.hold_s + performance.back_s
    return np.stack([performance.starts, performance.starts + lasts], axis=1)


def _frames(end_s: float, rng: np.random.Generator) -> Floats:
    """When a camera's frames were taken: about evenly, some lost."""
    times = np.arange(int(end_s * RATE_HZ) + 1) / RATE_HZ
    times = times + _JITTER_S * rng.uniform(-1.0, 1.0, len(times))
    return times[rng.random(len(times)) >= rng.uniform(*_LOST_FRAMES)]


def _joints(
    person: Person, meant: Performance, done: Performance | ImpairedPerformance, times: Floats, rng: np.random.Generator
) -> Floats:
    """(n, 17, 3): where the joints are at these times, the person turned and somewhere in the room."""
    angles = done.angles(times)
    unsteadiness(person.style, rng).add(angles, times, meant.movement.position)
    joints = person.shape.place(stand(person.shape, angles, stance(person.shape, meant)), STANDARD_17)
    facing = from_xzy(np.array([0.0, 0.0, np.radians(person.facing_deg)]))
    somewhere = np.array([rng.uniform(*_OFF_CENTRE_M), 0.0, rng.uniform(*_OFF_CENTRE_M)])
    return np.asarray(joints @ facing.T + somewhere)


@lru_cache(maxsize=1024)
def _instructed(family: str, exercise: str, side: Side, repetitions: int, number: int) -> tuple[Floats, Floats, Floats]:
    """An instructor's times, joints and bounds, before a camera sees them."""
    rng = np.random.default_rng([zlib.crc32(f"{family} {exercise} {side}".encode()), repetitions, number])
    of = FAMILIES[family].people
    person = of[_any(of, rng)].instructor(rng)
    movement = MOVEMENTS[exercise]
    meant = perform_movement(movement, side, repetitions, person.before_s, person.style, person.habits, rng)
    times = np.arange(int((meant.end_s + person.after_s) * RATE_HZ) + 1) / RATE_HZ
    return times, _joints(person, meant, meant, times, rng), _bounds(meant)


def _seen_reference(family: str, exercise: str, side: Side, repetitions: int, rng: np.random.Generator) -> Seen:
    """A therapist sees to it that nothing hides them."""
    trackers = FAMILIES[family].trackers
    tracker, number = trackers[_any(trackers, rng)], int(rng.integers(_INSTRUCTORS))
    times, joints, bounds = _instructed(family, exercise, side, repetitions, number)
    everything = np.ones(len(STANDARD_17), np.bool_)
    return Seen(times, *tracker.see(joints, MOVEMENTS[exercise].position, everything, rng), bounds)
