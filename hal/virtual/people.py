"""Families of people: how they are built and how they move when nothing is wrong. All of it ours.

What a family gives is never a fault: a slow, bent, lopsided person who does the whole movement has the best grades. So
that whoever learns from some families can be tried on others, each draws its traits from its own ranges, and draws them
differently: those for training gather in the middle of theirs, those for tests at the ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hal.virtual.body import POINTS, BodyShape, body_shape
from hal.virtual.performance import INSTRUCTOR, Style
from hal.virtual.posture import ANGLES
from hal.virtual.rotations import Floats

Range = tuple[float, float]

_TRUNK = ("spine", "thorax", "neck")
_LIMBS = {"arms": ("elbow", "wrist", "hand", "handtip", "thumb"), "legs": ("knee", "ankle", "ball", "foot")}
_BREADTH = ("clavicle", "shoulder", "hip")


@dataclass(frozen=True, slots=True)
class Person:
    """habits: (2, 28) standard normals. facing_deg: to the camera's side. before_s, after_s: rest in a recording."""

    shape: BodyShape
    style: Style
    habits: Floats
    facing_deg: float
    before_s: float
    after_s: float


@dataclass(frozen=True, slots=True)
class People:
    """A family of people: the range of each trait, and how it is drawn from there.

    gathering: the two parameters of a beta distribution over each range; (1, 1) is uniform. arms, legs, trunk,
    breadth: factors on the average proportions; build_spread: of single bones, as a fraction. The others as in `Style`
    and `Person`; steadiness multiplies sway and tremor of the hands.
    """

    gathering: tuple[float, float]
    stature_m: Range = (1.50, 1.92)
    arms: Range = (0.95, 1.05)
    legs: Range = (0.95, 1.05)
    trunk: Range = (0.95, 1.05)
    breadth: Range = (0.93, 1.07)
    build_spread: Range = (0.01, 0.02)
    tempo: Range = (0.75, 1.30)
    tempo_spread: Range = (0.03, 0.12)
    hold: Range = (0.3, 2.5)
    back: Range = (0.85, 1.20)
    early: Range = (0.85, 1.15)
    pause_s: Range = (0.5, 1.4)
    posture_deg: Range = (1.0, 4.0)
    joint_spread: Range = (0.01, 0.03)
    steadiness: Range = (0.3, 1.5)
    facing_deg: Range = (-20.0, 20.0)
    before_s: Range = (0.3, 1.5)
    after_s: Range = (0.3, 1.5)

    def somebody(self, rng: np.random.Generator) -> Person:
        """A patient."""

        def draw(trait: Range) -> float:
            return float(trait[0] + (trait[1] - trait[0]) * rng.beta(*self.gathering))

        factors = {name: draw(getattr(self, name)) for name in ("arms", "legs", "trunk", "breadth")}
        shape = _built(body_shape(draw(self.stature_m), draw(self.build_spread), rng), factors)
        steadiness = draw(self.steadiness)
        style = Style(
            tempo=draw(self.tempo),
            amplitude=1.0,
            tempo_spread=draw(self.tempo_spread),
            amplitude_spread=0.01,
            joint_spread=draw(self.joint_spread),
            compensation_deg=0.6,
            posture_deg=draw(self.posture_deg),
            sway_deg=0.35 * steadiness,
            tremor_deg=0.06 * steadiness,
            pause_s=draw(self.pause_s),
            hold=draw(self.hold),
            back=draw(self.back),
            early=draw(self.early),
        )
        habits = rng.standard_normal((2, len(ANGLES)))
        return Person(shape, style, habits, draw(self.facing_deg), draw(self.before_s), draw(self.after_s))

    def instructor(self, rng: np.random.Generator) -> Person:
        """Somebody of the same build who does each repetition as written, at a tempo of their own."""
        somebody = self.somebody(rng)
        style = replace(INSTRUCTOR, tempo=float(rng.uniform(0.88, 1.12)))
        return replace(somebody, style=style, facing_deg=0.0, before_s=1.0, after_s=1.0)


def _built(shape: BodyShape, factors: dict[str, float]) -> BodyShape:
    offsets = shape.offsets.copy()
    for row, point in enumerate(POINTS):
        name = point.removeprefix("left_").removeprefix("right_")
        if name in _TRUNK:
            offsets[row] *= factors["trunk"]
        elif name in _BREADTH:
            offsets[row, 0] *= factors["breadth"]
        for limb, names in _LIMBS.items():
            if name in names:
                offsets[row] *= factors[limb]
    return BodyShape(shape.stature_m, offsets)


TRAINING = {
    "usual": People((2.0, 2.0)),
    "brisk": People((2.0, 3.0), tempo=(1.0, 1.7), hold=(0.1, 1.5), pause_s=(0.3, 1.0), tempo_spread=(0.05, 0.15)),
    "careful": People(
        (1.5, 1.5), stature_m=(1.48, 1.80), tempo=(0.5, 0.95), hold=(0.5, 4.0), back=(0.95, 1.4), steadiness=(0.8, 2.5)
    ),
}
TESTS = {
    "long-limbed": People(
        (0.7, 0.7),
        stature_m=(1.62, 2.00),
        arms=(1.01, 1.07),
        legs=(1.01, 1.06),
        trunk=(0.94, 1.00),
        tempo=(0.6, 1.5),
        early=(0.80, 1.20),
        posture_deg=(2.0, 5.0),
    ),
    "short-limbed": People(
        (0.8, 0.6),
        stature_m=(1.45, 1.72),
        arms=(0.93, 0.99),
        legs=(0.94, 0.99),
        trunk=(1.00, 1.06),
        breadth=(1.02, 1.12),
        tempo=(0.55, 1.2),
        hold=(0.2, 4.5),
        back=(0.8, 1.5),
        joint_spread=(0.02, 0.04),
        steadiness=(0.5, 3.0),
    ),
}
