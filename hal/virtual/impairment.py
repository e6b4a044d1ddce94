"""What is wrong with how a movement is done: grades 0 to 4 for each dimension and each part of the body.

The dimensions, the range of the grades, and that each is given by body part: FineRehab (CVPRW 2024), table 1. Which
part can be graded in which movement and what a grade is in figures is ours, because that paper's raters judged by eye.
The steps are about even and do not touch: neighbouring grades differ by more than one person's repetitions do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hal.errors import HalError
from hal.virtual.compensation import patterns
from hal.virtual.roles import CHAINS, PARTS, Part, active_parts

Dimension = Literal["completeness", "correction", "smoothness"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
BEST = 4

RANGE_DONE = ((0.05, 0.20), (0.32, 0.46), (0.55, 0.68), (0.76, 0.86), (0.94, 1.05))
"""By grade of completeness, from 0: the share of the reference's range that the active joints go through."""
SEVERITY = ((0.92, 1.10), (0.68, 0.82), (0.42, 0.56), (0.18, 0.30), (0.00, 0.05))
"""By grade of correction or smoothness, from 0: the share of a gross compensation (`hal.virtual.compensation`: a trunk
that leans by 28 degrees, say) or of a very jerky course (`hal.virtual.unsmooth`)."""

Bands = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Impairment:
    """Grades by part for each dimension; a part that is not named has 4: as the reference.

    completeness: 0 hardly moves, 4 the reference's whole range. correction: 0 compensates grossly, 4 not at all.
    smoothness: 0 starts late, halts, trembles and drops, 4 flows. Raises `HalError` for an unknown part or grade.
    """

    completeness: Mapping[Part, int] = field(default_factory=dict)
    correction: Mapping[Part, int] = field(default_factory=dict)
    smoothness: Mapping[Part, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for dimension in DIMENSIONS:
            for part, grade in self._of(dimension).items():
                if part not in PARTS or grade not in range(BEST + 1):
                    raise HalError(
                        f"{dimension} of {part!r} is graded {grade!r}; parts are {', '.join(PARTS)}, grades 0 to {BEST}"
                    )

    def _of(self, dimension: Dimension) -> Mapping[Part, int]:
        return {
            "completeness": self.completeness,
            "correction": self.correction,
            "smoothness": self.smoothness,
        }[dimension]

    def grades(self) -> NDArray[np.int8]:
        """(3, 5): A_ij by `DIMENSIONS` and `PARTS`."""
        return np.array([[self._of(d).get(part, BEST) for part in PARTS] for d in DIMENSIONS], np.int8)

    def check(self, exercise: str, side: str) -> None:
        """Raises `HalError` where the movement cannot be impaired like that."""
        possible, grades = gradable(exercise, side), self.grades()
        for i, j in zip(*np.nonzero((grades < BEST) & ~possible), strict=True):
            raise HalError(f"{DIMENSIONS[i]} of {PARTS[j]} plays no part in {exercise!r} done with side {side!r}")
        for dimension, together in linked(exercise):
            row = grades[DIMENSIONS.index(dimension), [PARTS.index(part) for part in together]]
            if np.ptp(row):
                raise HalError(f"in {exercise!r} {' and '.join(together)} have one {dimension}, not {row.tolist()}")


def impairment_of(grades: NDArray[np.int8]) -> Impairment:
    """From (3, 5) grades by `DIMENSIONS` and `PARTS`."""
    return Impairment(*({part: int(grade) for part, grade in zip(PARTS, row, strict=True)} for row in grades))


def gradable(exercise: str, side: str) -> NDArray[np.bool_]:
    """(3, 5): which grades can be below 4. A part that does not do the movement can only compensate for those that do.

    Raises `HalError` for an exercise or side the virtual patient does not know.
    """
    active, compensating = active_parts(exercise, side), patterns(exercise, side)
    works = [part in active for part in PARTS]
    return np.array([works, [part in compensating for part in PARTS], works])


def linked(exercise: str) -> tuple[tuple[Dimension, tuple[Part, ...]], ...]:
    """The grades that a movement's parts share: two legs that carry one pelvis move it by one range and one course.

    Standing on the toes they also share the compensation, since one knee cannot bend without the other.
    """
    chain = CHAINS.get(exercise, ())
    if len(chain) < 2:
        return ()
    shared: tuple[Dimension, ...] = DIMENSIONS if exercise == "heel_raise" else ("completeness", "smoothness")
    return tuple((dimension, chain) for dimension in shared)


def within(bands: Bands, grades: NDArray[np.int8], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value inside each grade's band: share (0 to 1) of the way from its lower to its upper end."""
    low, high = np.array(bands)[grades].T
    return np.asarray(low + share * (high - low))


def drawn(exercise: str, side: str, rng: np.random.Generator) -> Impairment:
    """A patient at random: one in five has nothing; of the others each dimension is faultless in one of four, and
    where it is not, any part that can be impaired may be, up to any grade."""
    grades = np.full((len(DIMENSIONS), len(PARTS)), BEST, np.int8)
    if rng.random() >= 0.2:
        possible = gradable(exercise, side)
        works = possible[0]
        for row, at in enumerate(possible):
            if rng.random() < 0.25:
                continue
            likely = np.where(works, 0.85, 0.35)
            hit = at & (rng.random(len(PARTS)) < likely)
            grades[row, hit] = rng.integers(0, BEST + 1, int(hit.sum()))
    for dimension, together in linked(exercise):
        columns = [PARTS.index(part) for part in together]
        grades[DIMENSIONS.index(dimension), columns] = grades[DIMENSIONS.index(dimension), columns[0]]
    return impairment_of(grades)
