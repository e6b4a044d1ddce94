"""How much each dimension and each part of the body counts in a movement: the `[assessment]` of an exercise file.

That both are weighed, each axis to a sum of 1, by movement and by experts, is FineRehab's (CVPRW 2024). Its figures
are not at hand, so those in `config/exercises` are ours; each file's `assessment.source` gives the reason.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from appliance.quality.parts import BODY_PARTS, DIMENSIONS, BodyPart

Side = Literal["left", "right", "both"]
Weight = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_ROUNDING = 1e-6
"""What decimal fractions miss a sum of 1 by."""


class _Axis(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = sum(weight for _, weight in self)
        if abs(total - 1.0) > _ROUNDING:
            raise ValueError(f"the weights sum to {total:.6g}, not to 1")
        return self


class DimensionWeights(_Axis):
    """W_d."""

    completeness: Weight
    correction: Weight
    smoothness: Weight


class BodyPartWeights(_Axis):
    """W_b; a part that is not named counts nothing.

    A movement that one side does alone names the working side and the other, one that both do at once left and right.
    """

    trunk: Weight = 0.0
    working_arm: Weight = 0.0
    other_arm: Weight = 0.0
    working_leg: Weight = 0.0
    other_leg: Weight = 0.0
    left_arm: Weight = 0.0
    right_arm: Weight = 0.0
    left_leg: Weight = 0.0
    right_leg: Weight = 0.0

    @property
    def by_work(self) -> bool:
        return any((self.working_arm, self.other_arm, self.working_leg, self.other_leg))

    @property
    def by_side(self) -> bool:
        return any((self.left_arm, self.right_arm, self.left_leg, self.right_leg))

    def of(self, part: BodyPart, side: Side) -> float:
        """W_b,j of a part of the body when `side` moves; with both, each limb has half of working and other (ours)."""
        if part == "trunk":
            return self.trunk
        its_side, limb = part.split("_")
        working, other = getattr(self, f"working_{limb}"), getattr(self, f"other_{limb}")
        by_work = (working + other) / 2 if side == "both" else working if side == its_side else other
        return float(getattr(self, part) + by_work)


class Weights(BaseModel):
    """An exercise file's `[assessment]`. source: why these."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Annotated[str, Field(min_length=1)]
    dimensions: DimensionWeights
    body_parts: BodyPartWeights

    def of_dimensions(self) -> NDArray[np.float64]:
        """(3,) in the order of `DIMENSIONS`; sums to 1."""
        return np.array([getattr(self.dimensions, name) for name in DIMENSIONS])

    def of_parts(self, side: Side) -> NDArray[np.float64]:
        """(5,) in the order of `BODY_PARTS` when `side` moves; sums to 1."""
        return np.array([self.body_parts.of(part, side) for part in BODY_PARTS])

    @property
    def version(self) -> str:
        """`sha256:...` of the figures: equal where and only where every weight is, whatever else the file says."""
        figures = self.model_dump_json(exclude={"source"}, exclude_defaults=True)
        return "sha256:" + sha256(figures.encode()).hexdigest()
