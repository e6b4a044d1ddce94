"""From any source's joints to the standard skeleton, by the tables in `layouts`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.layouts import LAYOUTS
from appliance.skeleton.standard import JOINTS
from hal.types import Body, Layout

Arrays = tuple[NDArray[np.float64], NDArray[np.float64]]

_TWINS = [
    JOINTS.index(name.replace("left_", "right_") if "left_" in name else name.replace("right_", "left_"))
    for name in JOINTS
]
"""Each joint's counterpart on the body's other side; the trunk's are themselves."""


def to_standard(body: Body) -> Arrays:
    """One body's positions (17, 3) and confidence (17,) in the standard form."""
    return standard_from(body.layout, body.positions, body.confidence, planar=body.planar)


def standard_from(
    layout: Layout,
    positions: NDArray[np.float64],
    confidence: NDArray[np.float64] | None = None,
    *,
    planar: bool = False,
) -> Arrays:
    """Positions (..., 17, 3) and confidence (..., 17) of any number of frames.

    positions: (..., joints, 3) in the axes of `layout`; metres, or pixels where `planar`, and then z comes out as 0.
    confidence: (..., joints); without it 1 where a position is finite.

    A standard joint is NaN, with confidence 0, where one of the joints it is made of was not seen; else its confidence
    is the lowest of theirs. Raises `ValueError` where the number of joints is not the layout's.
    """
    table = LAYOUTS[layout]
    used = table.weights > 0
    if positions.shape[-2:] != (used.shape[1], 3):
        raise ValueError(f"{layout} has {used.shape[1]} joints of 3 coordinates, got an array {positions.shape}")
    given = np.isfinite(positions).all(axis=-1)
    trust = np.where(given, 1.0 if confidence is None else confidence, 0.0)
    combined = np.where(used, trust[..., None, :], np.inf).min(axis=-1)
    standard = (table.weights @ np.where(given[..., None], positions, 0.0)) * table.signs
    if planar:
        standard[..., 2] = 0.0
    standard[combined <= 0] = np.nan
    return standard, combined


def unmirror(positions: NDArray[np.float64], confidence: NDArray[np.float64]) -> Arrays:
    """The standard form of a person whom the source saw in a mirror: sides swapped, x turned round.

    A pose network on a mirrored picture calls the left hand right, and finds it on the other side.
    """
    return positions[..., _TWINS, :] * (-1.0, 1.0, 1.0), confidence[..., _TWINS]
