"""How a way that is not smooth goes: it starts late, halts, starts and stops abruptly, drops back, and trembles.

FineRehab (CVPRW 2024), table 1, asks of smoothness for the initiation and the reverse phase, for lag, jitter and
acceleration. How far each goes is ours: at the gross end somebody starts two fifths of the way's time late, stands
still or turns round within it (the submovements of Krebs et al. 1999 in reaching after stroke), and trembles by six
degrees at 3 to 6 Hz (the band of cerebellar and of Parkinson's tremor).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hal.virtual.performance import minimum_jerk
from hal.virtual.rotations import Floats

_LATE = 0.4
"""Share of the way's time."""
_HALTS = 1.5
"""Depth of the changes in speed: from 1 on, the movement stands still within a way."""
_ABRUPT = 0.7
"""Share of a way that is at one speed from its first instant to its last."""
_DROP = 1.2
"""By how much the power rises by which the way back is hurried at its beginning."""
_TREMOR_DEG = 6.0
_TREMOR_HZ = (3.0, 6.0)
_WAVES = np.array([0.7, 0.3])
"""Unequal, so that they never cancel."""


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a part over each repetition; arrays (repetitions,), or (2, repetitions) for way out and way back.

    late, drop: as shares. abrupt: 0 minimum jerk, 1 one speed. depth, waves, phase: of changes in speed along a way.
    """

    late: Floats
    drop: Floats
    abrupt: Floats
    depth: Floats
    waves: Floats
    phase: Floats

    def progress(self, out: Floats, back: Floats, which: NDArray[np.intp]) -> Floats:
        """(n,) 0 at rest, 1 at the turning point, from `Performance.ways`."""
        late = self.late[which]
        began = np.clip((out - late) / (1.0 - late), 0.0, 1.0)
        dropped = 1.0 - (1.0 - back) ** (1.0 + self.drop[which])
        return self._halting(began, 0, which) - self._halting(dropped, 1, which)

    def _halting(self, share: Floats, way: int, which: NDArray[np.intp]) -> Floats:
        turns, phase = 2.0 * np.pi * self.waves[way, which], self.phase[way, which]
        halted = share + self.depth[which] / turns * (np.sin(turns * share + phase) - np.sin(phase))
        halted = np.clip(halted, 0.0, 1.0)
        abrupt = self.abrupt[which]
        return np.asarray((1.0 - abrupt) * minimum_jerk(halted) + abrupt * halted)


def course(severity: Floats, rng: np.random.Generator) -> Course:
    """severity: (repetitions,), 0 flows, 1 very jerky. Each fault has its own share of it, the same in all repetitions;
    where a way halts is drawn for each. Draws the same numbers whatever the severity."""
    late, drop, abrupt, depth = rng.uniform(0.7, 1.0, 4)
    count = len(severity)
    return Course(
        _LATE * late * severity,
        _DROP * drop * severity,
        np.minimum(_ABRUPT * abrupt * severity**2, 1.0),
        _HALTS * depth * severity,
        rng.integers(2, 5, (2, count)).astype(np.float64),
        rng.uniform(0.0, 2.0 * np.pi, (2, count)),
    )


@dataclass(frozen=True, slots=True)
class Tremor:
    """Of k angles. amplitude: (repetitions, k) degrees; hz, phases: (2, k), two waves an angle, which beat."""

    amplitude: Floats
    hz: Floats
    phases: Floats

    def at(self, times: Floats, active: Floats, which: NDArray[np.intp]) -> Floats:
        """(n, k) degrees at times (n,); active: (n,) 0 at rest, 1 in a repetition."""
        waves = np.tensordot(np.sin(2.0 * np.pi * times[:, None, None] * self.hz + self.phases), _WAVES, (1, 0))
        return np.asarray(active[:, None] * self.amplitude[which] * waves)


def tremor(severity: Floats, rng: np.random.Generator) -> Tremor:
    """severity: (repetitions, k), as for `course`; one frequency a person, give or take."""
    angles = severity.shape[1]
    hz = rng.uniform(*_TREMOR_HZ) * rng.uniform(0.85, 1.15, (2, angles))
    share = rng.uniform(0.75, 1.0)
    return Tremor(_TREMOR_DEG * share * severity, hz, rng.uniform(0.0, 2.0 * np.pi, (2, angles)))
