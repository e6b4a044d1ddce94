"""All distances that an alignment may ask for, by matrix products (HS-BTW, sections 3 and 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from hal.kernels import exact_kernel, summing_kernel

_ROWS = 16
"""Frames of the base in one product: with fewer its set-up costs more, with more what lies outside the band."""
_PRODUCT = 2**17
"""Multiplications in one product: small enough to stay in the cache, and half of those OpenBLAS starts threads for."""
_NEAR = 1e-8
"""Share of the squared lengths below which a squared difference is recomputed: the product has cancelled it away."""
_SURE = np.empty((0, 0)), np.empty((0, 0))
_TO_GRID = 1.5 * 2.0 ** (52 - 32)
"""A float64 loses all beyond the 32nd binary digit when this is added."""


def distance_band(
    base: NDArray[np.float64], reference: NDArray[np.float64], weights: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """psi_t(s) = d(base[t], reference[clamp(t + s)]) for the shifts s of -window .. (m - n) + window.

    base: (n, joints, 3); reference: (m, joints, 3), m >= n. Returns (n, m - n + 2 window + 1) float64; column j is the
    shift j - window. A pair that shares no joint gets the mean of all pairs that do (ours): it neither draws nor
    repels the path.

    Rounded to multiples of 2^-32 (ours): frames that are alike are then equally far, whatever the order of the sums,
    and their ties are decided by section 4.

    Raises `NotScorableError` where no pair shares a joint.
    """
    band = np.empty((len(base), len(reference) - len(base) + 2 * window + 1))
    if np.isfinite(base.sum()) and np.isfinite(reference.sum()):
        # One joint of many coordinates, always seen.
        _fill(_base_terms(base, weights, 1), _reference_terms(reference, weights, 1, window), *_SURE, 1, band)
        return band
    joints = len(weights)
    base_terms = _base_terms(base, weights, joints)
    reference_terms = _reference_terms(reference, weights, joints, window)
    base_weights = base_terms[:, -joints:] * weights.sum(axis=1)
    _fill(base_terms, reference_terms, base_weights, reference_terms[-2 * joints : -joints], joints, band)
    known = np.isfinite(band)
    if not known.any():
        raise NotScorableError("no frame of it shows a joint that the reference shows as well")
    return band if known.all() else np.where(known, band, band[known].mean())


def _base_terms(positions: NDArray[np.float64], weights: NDArray[np.float64], joints: int) -> NDArray[np.float64]:
    """(frames, terms): -2 x, x^2, seen.

    x: the positions times sqrt(weight); x^2: a joint's squared length; both 0 for a joint not seen. The product with
    `_reference_terms` is the squared difference over the joints that both show.
    """
    terms = np.empty((len(positions), weights.size + 2 * joints))
    _fill_terms(positions.reshape(len(positions), -1), np.sqrt(weights).ravel(), joints, -2.0, 0, terms)
    return terms


def _reference_terms(
    positions: NDArray[np.float64], weights: NDArray[np.float64], joints: int, window: int
) -> NDArray[np.float64]:
    """(terms, frames): x, seen, x^2; the first and last frame are repeated `window` times.

    Frames lie along the second axis because a product without a transposed matrix is twice as fast.
    """
    frames = len(positions)
    terms = np.empty((weights.size + 2 * joints, frames + 2 * window))
    inner = terms[:, window : window + frames]
    _fill_terms(positions.reshape(frames, -1), np.sqrt(weights).ravel(), joints, 1.0, joints, inner.T)
    terms[:, :window], terms[:, window + frames :] = inner[:, :1], inner[:, -1:]
    return terms


@summing_kernel
def _fill_terms(
    positions: NDArray[np.float64],
    scale: NDArray[np.float64],
    joints: int,
    factor: float,
    seen_first: int,
    terms: NDArray[np.float64],
) -> None:
    """positions: (frames, coordinates); terms: (frames, coordinates and two per joint), in any order in memory."""
    size = len(scale) // joints
    lengths, visible = len(scale) + seen_first, len(scale) + joints - seen_first
    x = np.empty(size)
    for t in range(len(positions)):
        row = terms[t]
        for j in range(joints):
            here, scales, out = positions[t, j * size :], scale[j * size :], row[j * size :]
            length = 0.0
            for k in range(size):
                x[k] = here[k] * scales[k]
                length += x[k] * x[k]
            seen = not np.isnan(length)
            for k in range(size):
                out[k] = factor * x[k] if seen else 0.0
            row[lengths + j] = length if seen else 0.0
            row[visible + j] = 1.0 if seen else 0.0


@exact_kernel
def _fill(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    base_weights: NDArray[np.float64],
    reference_seen: NDArray[np.float64],
    joints: int,
    band: NDArray[np.float64],
) -> None:
    """base_weights, (frames, joints), times reference_seen, (joints, frames), is the weight a pair shares.

    Both empty: always 1. NaN where a pair shares none.
    """
    frames, columns = band.shape
    partial = len(base_weights) > 0
    span = max(_PRODUCT // (_ROWS * base.shape[1]), _ROWS)
    lengths = reference[-joints:].sum(axis=0)
    part, seen_part = np.empty(len(reference) * span), np.empty(len(reference_seen) * span)
    room, room_for_weights = np.empty(_ROWS * span), np.empty(_ROWS * span)
    for top in range(0, frames, _ROWS):
        rows = min(_ROWS, frames - top)
        for left in range(0, rows + columns - 1, span):
            across = min(span, rows + columns - 1 - left)
            first = top + left
            products = room[: rows * across].reshape(rows, across)
            np.dot(base[top : top + rows], _columns(reference, first, across, part), products)
            shared = room_for_weights[: rows * across].reshape(rows, across)
            if partial:
                np.dot(base_weights[top : top + rows], _columns(reference_seen, first, across, seen_part), shared)
            for i in range(rows):
                # Column j of the band is reference frame top + i + j, product top + i + j - first.
                begin, end = max(left - i, 0), min(left - i + across, columns)
                if begin >= end:
                    continue
                squared = products[i, begin + i - left : end + i - left]
                u = top + i + begin
                _mend(squared, base[top + i], reference[:, u:], lengths[u:], joints)
                if partial:
                    _divide(squared, shared[i, begin + i - left :])
                out = band[top + i, begin:end]
                for s in range(len(out)):
                    out[s] = (np.sqrt(squared[s]) + _TO_GRID) - _TO_GRID


@exact_kernel
def _columns(matrix: NDArray[np.float64], first: int, across: int, room: NDArray[np.float64]) -> NDArray[np.float64]:
    """The columns from `first` on, as a matrix of their own in `room`: products are of whole matrices only."""
    part = room[: len(matrix) * across].reshape(len(matrix), across)
    for k in range(len(matrix)):
        row, out = matrix[k, first:], part[k]
        for i in range(across):
            out[i] = row[i]
    return part


@exact_kernel
def _mend(
    squared: NDArray[np.float64],
    frame: NDArray[np.float64],
    others: NDArray[np.float64],
    lengths: NDArray[np.float64],
    joints: int,
) -> None:
    """Recomputes, difference by difference, the squares of one row that the product has cancelled away."""
    coordinates = len(frame) - 2 * joints
    length = frame[coordinates : coordinates + joints].sum()
    cancelled = 0
    for s in range(len(squared)):
        cancelled += squared[s] < _NEAR * (length + lengths[s])
    if not cancelled:
        return
    size = coordinates // joints
    for s in range(len(squared)):
        if squared[s] < _NEAR * (length + lengths[s]):
            total = 0.0
            for k in range(coordinates):
                if frame[coordinates + joints + k // size] * others[coordinates + k // size, s]:
                    difference = -0.5 * frame[k] - others[k, s]
                    total += difference * difference
            squared[s] = total


@exact_kernel
def _divide(squared: NDArray[np.float64], weights: NDArray[np.float64]) -> None:
    for s in range(len(squared)):
        squared[s] = squared[s] / weights[s] if weights[s] > 0.0 else np.nan
