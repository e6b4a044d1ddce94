"""The weighted distance between two skeletons (HS-BTW, section 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.kernels import kernel, summing_kernel

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


def distance_band(
    base: NDArray[np.float64], reference: NDArray[np.float64], weights: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """psi_t(s) = d(base[t], reference[clamp(t + s)]) for the shifts s of -window .. (m - n) + window.

    base: (n, joints, 3); reference: (m, joints, 3), m >= n. Returns (n, m - n + 2 window + 1) float64; column j is the
    shift j - window. A pair that shares no joint gets the mean of all pairs that do (ours): it neither draws nor
    repels the path.

    Raises `NotScorableError` where no pair shares a joint.
    """
    band = np.empty((len(base), len(reference) - len(base) + 2 * window + 1))
    seen_base, seen_reference = (np.isfinite(x).all(axis=2) for x in (base, reference))
    scale = np.sqrt(weights)
    scaled_base, scaled_reference = (
        np.ascontiguousarray(np.where(seen[..., None], x, 0.0) * scale)
        for x, seen in ((base, seen_base), (reference, seen_reference))
    )
    if seen_base.all() and seen_reference.all():
        _fill_complete(scaled_base.reshape(len(base), -1), scaled_reference.reshape(len(reference), -1), window, band)
        return band
    _fill_partial(scaled_base, scaled_reference, seen_base, seen_reference, weights.sum(axis=1), window, band)
    known = np.isfinite(band)
    if not known.any():
        raise NotScorableError("no frame of it shows a joint that the reference shows as well")
    return np.where(known, band, band[known].mean())


@summing_kernel
def _fill_complete(
    base: NDArray[np.float64], reference: NDArray[np.float64], window: int, band: NDArray[np.float64]
) -> None:
    last = len(reference) - 1
    for t in range(band.shape[0]):
        previous = -1
        for j in range(band.shape[1]):
            u = min(max(t + j - window, 0), last)
            if u == previous:
                band[t, j] = band[t, j - 1]
                continue
            previous = u
            total = 0.0
            for k in range(base.shape[1]):
                difference = base[t, k] - reference[u, k]
                total += difference * difference
            band[t, j] = np.sqrt(total)


@kernel
def _fill_partial(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    seen_base: NDArray[np.bool_],
    seen_reference: NDArray[np.bool_],
    joint_weights: NDArray[np.float64],
    window: int,
    band: NDArray[np.float64],
) -> None:
    last = len(reference) - 1
    for t in range(band.shape[0]):
        for j in range(band.shape[1]):
            u = min(max(t + j - window, 0), last)
            total = 0.0
            weight = 0.0
            for i in range(base.shape[1]):
                if seen_base[t, i] and seen_reference[u, i]:
                    weight += joint_weights[i]
                    for k in range(3):
                        difference = base[t, i, k] - reference[u, i, k]
                        total += difference * difference
            band[t, j] = np.sqrt(total / weight) if weight > 0.0 else np.nan
