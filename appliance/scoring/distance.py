"""The weighted distance between two skeletons (HS-BTW, section 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError

_NO_MOVEMENT = 1e-9
"""Trunk lengths, summed over all coordinates: the rounding that normalisation leaves of a body that stands still."""


def movement_weights(instructor: NDArray[np.float64]) -> NDArray[np.float64]:
    """w_ik, proportional to the standard deviation of coordinate k of joint i over the instructor's recording.

    instructor: (frames, joints, 3), normalised; NaN where not seen. Returns (joints, 3), summing to 1. Stated in
    HS-BTW; the sum of 1 is ours. A joint the instructor never shows has no deviation and gets no weight.

    Raises `NotScorableError` for an instructor who does not move.
    """
    seen = np.isfinite(instructor)
    count = np.maximum(seen.sum(axis=0), 1)
    mean = np.where(seen, instructor, 0.0).sum(axis=0) / count
    sigma = np.sqrt((np.where(seen, instructor - mean, 0.0) ** 2).sum(axis=0) / count)
    total = float(sigma.sum())
    if not total > _NO_MOVEMENT:
        raise NotScorableError("nothing moves in it, so it says nothing about the exercise: record it again")
    return np.asarray(sigma / total)


def squares(a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each joint's part of d^2 for pairs of frames.

    a, b: (pairs, joints, 3); weights: (joints, 3). Returns (pairs, joints): sum_k w_ik (a_ik - b_ik)^2. A joint unseen
    in either frame has no part and its weight is shared by the others (ours): the rest is divided by the weight seen.
    NaN throughout a pair that shares no weight.
    """
    difference = a - b
    shared = np.isfinite(difference).all(axis=2)
    parts = np.where(shared, np.einsum("pjk,jk->pj", difference**2, weights), 0.0)
    if shared.all():
        return parts
    weight = np.where(shared, weights.sum(axis=1), 0.0).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weight > 0.0, parts / weight, np.nan))
