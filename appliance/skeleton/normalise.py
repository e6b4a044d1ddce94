"""One person's size, place and heading taken out of a recording (HS-BTW, section 2).

Stated there: skeletons are normalised, and there is no registration between the two. How is ours: each recording from
itself alone, by root, yaw and size, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.exercises import Root
from appliance.skeleton.standard import INDEX

NEARLY_VERTICAL_DEG = 30.0
"""Ours. Closer than this to vertical, the horizontal part of the hips' axis is less than half of its length and the
heading read from it mostly noise; a standing person's pelvis, even hitched or leaning, stays far from it."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """positions: (frames, 17, 3) float64, in trunk lengths (root `thorax`: shoulder widths); NaN where not seen.

    notes: what could not be done as usual, in plain sentences.
    """

    positions: NDArray[np.float64]
    notes: tuple[str, ...]


def normalise(positions: NDArray[np.float64], rate_hz: float, root: Root, *, planar: bool = False) -> Normalised:
    """Root, yaw and size removed.

    positions: (frames, 17, 3) float64, metres, at the one rate `rate_hz`; gaps filled. "The first second" is the first
    round(rate_hz) frames. A two-dimensional recording is not turned: it holds no heading, and noise in the sign of
    its hips' axis would mirror it.

    Raises `NotScorableError` where place or size cannot be told.
    """
    first_second = positions[: max(1, round(rate_hz))]
    placed = positions - _origin(positions, first_second, root)
    cos, sin, notes = (1.0, 0.0, _PLANAR) if planar else _heading(first_second, root)
    turned = placed.copy()
    turned[..., 0] = cos * placed[..., 0] + sin * placed[..., 2]
    turned[..., 2] = cos * placed[..., 2] - sin * placed[..., 0]
    return Normalised(turned / _size(positions, root), notes)


_PLANAR = ("two-dimensional, so not turned to face the camera",)


def _origin(positions: NDArray[np.float64], first_second: NDArray[np.float64], root: Root) -> NDArray[np.float64]:
    """What is subtracted: (frames, 1, 3) joint positions, or (3,) for `start`, which keeps the body's own travel."""
    if root != "start":
        return positions[:, INDEX[root], None]
    pelvis = _seen(first_second[:, INDEX["pelvis"]])
    if not len(pelvis):
        raise NotScorableError("the pelvis is not seen in the first second, so the start is unknown")
    return np.asarray(np.median(pelvis, axis=0))


def _heading(first_second: NDArray[np.float64], root: Root) -> tuple[float, float, tuple[str, ...]]:
    """Cosine and sine of the turn about y that brings the median right-to-left axis of the first second to +x."""
    for pair in ("shoulder",) if root == "thorax" else ("hip", "shoulder"):
        axes = _seen(first_second[:, INDEX[f"left_{pair}"]] - first_second[:, INDEX[f"right_{pair}"]])
        if not len(axes):
            continue
        x, _, z = axis = np.median(axes, axis=0)
        horizontal = float(np.hypot(x, z))
        if horizontal <= np.sin(np.radians(NEARLY_VERTICAL_DEG)) * float(np.linalg.norm(axis)):
            return 1.0, 0.0, (f"not turned to face the camera: the {pair}s' axis is nearly vertical",)
        return float(x) / horizontal, float(z) / horizontal, ()
    return 1.0, 0.0, ("not turned to face the camera: neither hips nor shoulders are seen in the first second",)


def _size(positions: NDArray[np.float64], root: Root) -> float:
    ends = ("left_shoulder", "right_shoulder") if root == "thorax" else ("pelvis", "thorax")
    spans = _seen(positions[:, INDEX[ends[0]]] - positions[:, INDEX[ends[1]]])
    size = float(np.median(np.linalg.norm(spans, axis=1))) if len(spans) else 0.0
    if not size > 0.0:
        raise NotScorableError(f"its size is unknown: {ends[0]} and {ends[1]} are never seen apart in one frame")
    return size


def _seen(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows without NaN."""
    return np.asarray(vectors[np.isfinite(vectors).all(axis=1)])
