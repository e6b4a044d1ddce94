"""A set as somebody does it who cannot do it as shown: less range, compensations, an uneven course."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hal.virtual.compensation import COMPENSATIONS, patterns
from hal.virtual.impairment import RANGE_DONE, SEVERITY, Impairment, within
from hal.virtual.movements import Side
from hal.virtual.performance import Performance, minimum_jerk, on_sides
from hal.virtual.posture import ANGLES, HINGES, INDEX, SIDES
from hal.virtual.roles import CHAINS, PART_OF_ANGLE, PARTS, active_parts
from hal.virtual.rotations import Floats
from hal.virtual.unsmooth import Course, Tremor, course, tremor

_MOVES_DEG = 10.0
"""An angle that changes by less is carried along and does not tremble by itself."""
_BETWEEN_REPETITIONS = 0.04
"""Standard deviation, in shares of a grade's band."""
_RAMP_S = 0.3
_HIPS, _KNEES = ([INDEX[f"{side}.{joint}.flexion"] for side in SIDES] for joint in ("hip", "knee"))
"""With thigh and shank of one length, half the knee's flexion at the hip keeps the heel of who lies on the bed."""
_SECOND_ALTERNATIVE = 0.4
"""Most of its own whole."""


@dataclass(frozen=True, slots=True)
class ImpairedPerformance:
    """As `Performance`, whose `angles` and `end_s` it has.

    intended: the set with the range that is done. courses: the course of all that is not graded, then of each part
    that is; course_of: (28,) which of them each angle follows. compensation: (repetitions, 28) degrees at its largest;
    midway: where that is. trembling: (k,) the angles that tremble.
    """

    intended: Performance
    courses: tuple[Course, ...]
    course_of: NDArray[np.intp]
    compensation: Floats
    midway: bool
    trembling: NDArray[np.intp]
    tremor: Tremor

    @property
    def end_s(self) -> float:
        return self.intended.end_s

    def angles(self, times: Floats) -> Floats:
        """(n, 28) degrees."""
        intended = self.intended
        out, back, which = intended.ways(times)
        by_course = np.stack([course.progress(out, back, which) for course in self.courses], axis=1)
        done = intended.done(by_course[:, self.course_of]) * intended.scale[which]
        effort = np.clip(by_course[:, 0], 0.0, 1.0)
        compensating = 4.0 * effort * (1.0 - effort) if self.midway else effort
        angles = intended.rest + done + compensating[:, None] * self.compensation[which]
        angles[:, self.trembling] += self.tremor.at(times, self._active(times, which), which)
        angles[:, HINGES] = np.maximum(angles[:, HINGES], 0.0)
        if intended.movement.position == "supine":
            angles[:, _HIPS] = np.maximum(angles[:, _HIPS], angles[:, _KNEES] / 2.0)
        return np.asarray(angles)

    def _active(self, times: Floats, which: NDArray[np.intp]) -> Floats:
        """(n,) 1 within a repetition, 0 between them, with a ramp."""
        intended = self.intended
        since = times - intended.starts[which]
        left = intended.out_s[which] + intended.hold_s[which] + intended.back_s[which] - since
        return minimum_jerk(since / _RAMP_S) * minimum_jerk(left / _RAMP_S)


def impair(
    performance: Performance, exercise: str, impairment: Impairment, rng: np.random.Generator
) -> ImpairedPerformance:
    """That set with that impairment, each grade's figure drawn inside its band; at least one repetition.

    The same generator draws the same numbers whatever the grades, so that two impairments differ by nothing else. The
    range done is counted from the movement as written: it takes the place of the performance's own amplitude. Raises
    `HalError` where the movement cannot be impaired like that.
    """
    impairment.check(exercise, performance.side)
    grades, repetitions = impairment.grades(), len(performance.starts)
    share = rng.uniform(0.0, 1.0, grades.shape) + _BETWEEN_REPETITIONS * rng.standard_normal(
        (repetitions, *grades.shape)
    )
    share = np.clip(share, 0.0, 1.0)
    shared = CHAINS.get(exercise, ())
    columns = [PARTS.index(part) for part in shared]
    share[..., columns] = share[..., columns[:1]]
    completeness, correction, smoothness = (
        np.stack([within(bands, grades[row], each[row]) for each in share])
        for row, bands in enumerate((RANGE_DONE, SEVERITY, SEVERITY))
    )

    active = active_parts(exercise, performance.side)
    leaders = active[:1] if shared else active
    course_of_part = np.full(len(PARTS), 1 if shared else 0)
    for index, part in enumerate(leaders, start=1):
        course_of_part[PARTS.index(part)] = index
    course_of = course_of_part[PART_OF_ANGLE]
    graded = [PARTS.index(part) for part in leaders]
    ranges = np.insert(completeness[:, graded], 0, 1.0, axis=1)
    unsmooth = np.insert(smoothness[:, graded], 0, 0.0, axis=1)
    trembling = np.flatnonzero((course_of > 0) & (np.abs(performance.excursion) >= _MOVES_DEG))
    return ImpairedPerformance(
        replace(performance, scale=performance.scale * ranges[:, course_of]),
        tuple(course(severity, rng) for severity in unsmooth.T),
        course_of,
        _compensation(exercise, performance.side, correction, rng),
        COMPENSATIONS[exercise].midway,
        trembling,
        tremor(unsmooth[:, course_of[trembling]], rng),
    )


def _compensation(exercise: str, side: Side, severity: Floats, rng: np.random.Generator) -> Floats:
    """(repetitions, 28) degrees for severities (repetitions, 5): one of each part's alternatives, some of another."""
    added = np.zeros((len(severity), len(ANGLES)))
    towards = SIDES[rng.integers(2)] if side == "both" else side
    for part, alternatives in patterns(exercise, side).items():
        order, some = rng.permutation(len(alternatives)), rng.uniform(0.0, _SECOND_ALTERNATIVE)
        at = towards if part == "trunk" else part.split("_")[0]
        whole = sum(
            weight * on_sides(alternatives[index], (at,), np.zeros(len(ANGLES)))
            for index, weight in zip(order, (1.0, some), strict=False)
        )
        added += severity[:, [PARTS.index(part)]] * whole
    return added
