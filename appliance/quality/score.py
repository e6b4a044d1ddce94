"""FineRehab's score of a movement from its grades: Score = sum_i W_d,i sum_j W_b,j A_ij (CVPRW 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.quality.parts import BEST, BODY_PARTS, DIMENSIONS, BodyPart, Dimension
from appliance.quality.weights import Side, Weights

_DIGITS = 9
"""Kept of a score: the best grades throughout come to 4 exactly, in whatever order they are summed."""


@dataclass(frozen=True, slots=True, eq=False)
class Grades:
    """A_ij: how well each part of the body did in each dimension.

    values: (3, 5) float64, 0 worst to 4 best; rows as in `DIMENSIONS`, columns as in `BODY_PARTS`, NaN where nobody
    graded. Whole numbers when people grade; a model's may lie between. Raises `NotScorableError` for a grade outside.
    """

    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        values = np.array(self.values, np.float64)
        if values.shape != (len(DIMENSIONS), len(BODY_PARTS)):
            raise NotScorableError(f"grades come as {len(DIMENSIONS)} x {len(BODY_PARTS)} numbers, not {values.shape}")
        outside = np.argwhere((values < 0) | (values > BEST))
        if len(outside):
            row, column = outside[0]
            name = f"{DIMENSIONS[row]} of {BODY_PARTS[column]}"
            raise NotScorableError(f"{name} is graded {values[row, column]:g}; grades go from 0 to {BEST:g}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def of(self, dimension: Dimension, part: BodyPart) -> float | None:
        value = float(self.values[DIMENSIONS.index(dimension), BODY_PARTS.index(part)])
        return None if np.isnan(value) else value


@dataclass(frozen=True, slots=True)
class FineRehabScore:
    """value: 0..4. dimensions: each one's own, sum_j W_b,j A_ij, 0..4. weights: their version."""

    value: float
    dimensions: Mapping[Dimension, float]
    weights: str


def score(grades: Grades, weights: Weights, side: Side) -> FineRehabScore:
    """`side`: the one that moves. Raises `NotScorableError` where a part that counts in the movement has no grade."""
    of_parts = weights.of_parts(side)
    counts = of_parts > 0
    ungraded = np.argwhere(np.isnan(grades.values) & counts)
    if len(ungraded):
        row, column = ungraded[0]
        raise NotScorableError(f"{DIMENSIONS[row]} of {BODY_PARTS[column]} counts in this movement and has no grade")
    dimensions = np.clip(grades.values[:, counts] @ of_parts[counts], 0.0, BEST)
    value = np.clip(weights.of_dimensions() @ dimensions, 0.0, BEST)
    return FineRehabScore(
        round(float(value), _DIGITS), dict(zip(DIMENSIONS, dimensions.tolist(), strict=True)), weights.version
    )
