"""Calibration: which balance of pose and dynamics ranks known levels best (HS-BTW).

Stated there: Spearman's correlation, an exhaustive search for the angle, folds over persons. Ours: 0..90 degrees in
steps of one, midranks, the smallest of equally good angles, and that a file names the data it came from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ManifestError
from appliance.scoring.calibration_file import Calibration, Fold, Source
from appliance.scoring.ranks import spearman

PHI_DEG = np.arange(91)
DYNAMICS_AXIS = 10.0
"""The plane's dynamics axis is multiplied by it (stated)."""
_EQUAL = 1e-12
"""Correlations closer than this differ by rounding only."""


@dataclass(frozen=True, slots=True)
class Point:
    """One scored recording on the plane, with what is known of it."""

    exercise: str
    person: str
    position: str
    level: float
    pose: float
    dynamics: float
    intensity: float


@dataclass(frozen=True, slots=True)
class Curves:
    """correlations: (groups, 91) Spearman's by angle; groups: their (exercise, person, position), ranked ones only."""

    groups: tuple[tuple[str, str, str], ...]
    correlations: NDArray[np.float64]

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(self.correlations.mean(axis=0))


def balanced(points: Sequence[Point], phi_deg: float) -> NDArray[np.float64]:
    """(points,) D = D_P cos(phi) + 10 D_T sin(phi)."""
    phi = np.radians(phi_deg)
    pose, dynamics = (np.array([getattr(point, axis) for point in points]) for axis in ("pose", "dynamics"))
    return np.asarray(pose * np.cos(phi) + DYNAMICS_AXIS * dynamics * np.sin(phi))


def correlation_curves(points: Sequence[Point]) -> Curves:
    """Raises `ManifestError` where no person has two levels of one exercise: then nothing can be ranked."""
    members = defaultdict(list)
    for point in points:
        members[point.exercise, point.person, point.position].append(point)
    ranked = {group: own for group, own in members.items() if len({point.level for point in own}) > 1}
    if not ranked:
        raise ManifestError("nobody has two levels of one exercise, so there is nothing to rank: check column 'level'")
    curves = [
        [spearman(balanced(own, float(phi)), np.array([point.level for point in own])) for phi in PHI_DEG]
        for own in ranked.values()
    ]
    return Curves(tuple(ranked), np.array(curves))


def calibrate(points: Sequence[Point], folds: int, source: Source) -> tuple[Calibration, Curves]:
    """The calibration of these points and the curves it was read from. Raises `ManifestError` as above."""
    curves = correlation_curves(points)
    best = _smallest_best(curves.mean)
    calibration = Calibration(
        phi_deg=float(PHI_DEG[best]),
        scales=exercise_scales(points),
        spearman=float(np.clip(curves.mean[best], -1.0, 1.0)),
        folds=tuple(_folds(curves, folds)),
        source=source,
    )
    return calibration, curves


def exercise_scales(points: Sequence[Point]) -> dict[str, float]:
    lengths = defaultdict(list)
    for point in points:
        lengths[point.exercise].append(np.hypot(point.pose, DYNAMICS_AXIS * point.dynamics))
    medians = {exercise: float(np.median(own)) for exercise, own in lengths.items()}
    return {exercise: median for exercise, median in medians.items() if median > 0.0}


def _folds(curves: Curves, count: int) -> list[Fold]:
    """Persons in order of name, dealt out as evenly as they go; never one person on both sides."""
    who = np.array([person for _, person, _ in curves.groups])
    persons = sorted(set(who))
    if len(persons) < 2:
        return []
    folds = []
    for held_out in np.array_split(np.array(persons), min(count, len(persons))):
        inside = np.isin(who, held_out)
        best = _smallest_best(curves.correlations[~inside].mean(axis=0))
        own = curves.correlations[inside, best]
        folds.append(Fold(phi_deg=int(PHI_DEG[best]), spearman=float(own.mean()), persons=tuple(held_out.tolist())))
    return folds


def _smallest_best(correlations: NDArray[np.float64]) -> int:
    return int(np.argmax(correlations >= correlations.max() - _EQUAL))
