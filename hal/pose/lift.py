"""From a landmark in the picture to a joint in metres, by the depth around it. Ours.

1. A first look at the depth under every landmark, together with the network's own relative distances, tells how far
   away the person is.
2. Under each landmark the surface at about that distance is its own. Something clearly nearer hides the joint, and so
   does something nearly as far whose edge runs across the limb: then it has no position. Where depth has a hole, or
   only what is behind the person, the network's distance stands in, at lower confidence.
3. Arms and legs are measured as a whole: between a limb's edges in depth runs its axis, half its own width behind its
   skin, whatever the girth. Joints are moved onto the axes that meet in them, which takes out the landmarks' error
   across the limb. Elsewhere a joint lies one usual radius behind its skin.
4. What was measured where another part of the same body is seen is hidden too.
5. Along a limb the landmarks' error is all there is, but for this: left and right bones are equally long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.pose.edges import behind_obstacle
from hal.pose.hidden import behind_own_body
from hal.pose.lift_kernels import straight, window_ranges
from hal.pose.limb_axes import LANDMARK_ERROR_PX, on_axes
from hal.pose.limbs import HIPS, KNEES, RADII_M, SHOULDERS, TRUNK
from hal.pose.symmetry import with_equal_sides
from hal.types import Lens

Floats = NDArray[np.float64]

_FIRST_TOLERANCE_M: Final = 6.0
_TOLERANCE_M: Final = 0.25
"""The network's distances are this good, relative to the trunk; what is nearer than that is something else."""
_LAP_M: Final = 0.2
_NEAR: Final = 1 / 6
_MIDDLE: Final = 0.4
_RIDGE_M: Final = 0.03
_ENOUGH: Final = 0.15
NETWORK_CONFIDENCE: Final = 0.4
"""Factor on the confidence of a joint whose distance is the network's (errors of 5-15 cm instead of 1-3)."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """Joints in the camera's axes: x right in the picture, y down, z away; metres.

    positions: (33, 3), NaN where not seen or hidden. confidence: (33,) 0..1: the network's visibility, less where the
    distance is the network's. measured: (33,), depth gave the distance. hidden: (33,), something else is in front.
    pixels: (33, 2), the landmarks moved onto the axes of their limbs.
    """

    positions: Floats
    confidence: Floats
    measured: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    pixels: Floats


def lift(
    depth: NDArray[np.uint16], lens: Lens, pixels: Floats, network: Floats, visibility: Floats, seen: NDArray[np.bool_]
) -> Lifted:
    """depth: (height, width) mm on the picture's pixels. pixels: (33, 2). network: (33, 3) metres, camera axes.

    visibility, seen: (33,); landmarks not `seen` get no position. Where depth shows nothing of the person at all, no
    joint is measured and all are NaN.
    """
    pixels = np.nan_to_num(np.ascontiguousarray(pixels, np.float64))
    skin = network[:, 2] - RADII_M
    focal = float(np.mean(lens.focal))
    distance = _distance(depth, pixels, skin, seen)
    if distance is None:
        nothing = np.zeros(33, np.bool_)
        return Lifted(np.full((33, 3), np.nan), np.zeros(33), nothing, nothing, pixels)

    expected = np.maximum(skin + distance, 0.2)
    limb_px = RADII_M * focal / expected
    windows = np.where(seen, np.clip(0.7 * limb_px + 0.8 * LANDMARK_ERROR_PX, 4.0, 40.0), 0.0)
    surface, counts = _look(depth, pixels, windows, expected, _TOLERANCE_M, _NEAR)
    inside, nearer, own = counts.T
    measured = seen & (own > _ENOUGH * inside) & (own >= 3)
    too_near = measured & (surface - expected < _nearest_credible(surface - expected, measured))
    too_near |= behind_obstacle(depth, pixels, surface, measured, focal)
    hidden = (seen & ~measured & (nearer > _ENOUGH * inside)) | too_near
    measured &= ~hidden
    surface = np.where(measured, surface, expected)

    pixels, axes, uncertainty = on_axes(depth, pixels, surface, measured, focal)
    windows = np.where(measured, np.clip(0.5 * limb_px, 3.0, 40.0), 0.0)
    closer, counts = _look(depth, pixels, windows, surface + _RIDGE_M, _RIDGE_M * 2, _MIDDLE)
    surface = np.where(counts[:, 2] >= 3, closer, surface)
    rays = np.empty((33, 2))
    straight(pixels, np.array(lens.focal), np.array(lens.centre), np.array(lens.distortion), rays)
    lines = np.column_stack([rays, np.ones(33)])
    z = surface + RADII_M / np.linalg.norm(lines, axis=1)
    end_on = measured & np.isnan(axes)
    z = _behind_the_lap(depth, pixels, np.where(np.isnan(axes), z, axes), network[:, 2], end_on, measured, focal)
    positions = lines * z[:, None]
    behind = behind_own_body(positions, network[:, 2], measured, pixels, focal)
    measured, hidden = measured & ~behind, hidden | behind
    positions = with_equal_sides(positions, uncertainty * (z / focal)[:, None, None] ** 2, measured)
    placed = seen & ~hidden
    confidence = np.where(placed, np.where(measured, visibility, visibility * NETWORK_CONFIDENCE), 0.0)
    return Lifted(np.where(placed[:, None], positions, np.nan), confidence, measured, hidden, pixels)


def _nearest_credible(off: Floats, measured: NDArray[np.bool_]) -> float:
    """How far before the network's distance depth may find a joint's skin; nearer, and it is something else's skin.

    The network's usual error in this frame tells, taken from the farther half only: what hides joints lies before them.
    """
    order = np.sort(off[measured])
    if len(order) < 4:
        return -_TOLERANCE_M
    middle, far = order[len(order) // 2], order[round(0.84 * (len(order) - 1))]
    return float(middle - min(max(2.5 * (far - middle), 0.10), _TOLERANCE_M))


def _look(
    depth: NDArray[np.uint16], pixels: Floats, windows: Floats, expected: Floats, tolerance: float, share: float
) -> tuple[Floats, NDArray[np.int32]]:
    ranges, counts = np.empty(len(pixels)), np.empty((len(pixels), 3), np.int32)
    window_ranges(depth, pixels, windows, expected, tolerance, share, ranges, counts)
    return ranges, counts


def _distance(depth: NDArray[np.uint16], pixels: Floats, skin: Floats, seen: NDArray[np.bool_]) -> float | None:
    """What to add to the network's distances: what most landmarks agree on, those of the trunk counting three times.

    A landmark whose error puts it beside the body says the wall's distance; a median of few could lie between the two.
    """
    middle = np.full(33, _FIRST_TOLERANCE_M)
    surface, counts = _look(depth, pixels, np.where(seen, 6.0, 0.0), middle, _FIRST_TOLERANCE_M, _NEAR)
    usable = seen & (counts[:, 2] >= 3)
    if usable.sum() < 2:
        return None
    weight = np.ones(33)
    weight[list(TRUNK)] = 3
    off, weight = (surface - skin)[usable], weight[usable]
    agreeing = np.abs(off[:, None] - off) < _TOLERANCE_M
    return float(np.median(off[agreeing[np.argmax(agreeing @ weight)]]))


def _behind_the_lap(
    depth: NDArray[np.uint16],
    pixels: Floats,
    z: Floats,
    network: Floats,
    end_on: NDArray[np.bool_],
    measured: NDArray[np.bool_],
    focal: float,
) -> Floats:
    """Of a seated person the lap is seen where the hips are: their distance is then the trunk's, carried on down."""
    z = z.copy()
    steps = np.array([0.35, 0.45, 0.55, 0.65, 0.75])
    for hip, shoulder, knee in zip(HIPS, SHOULDERS, KNEES, strict=True):
        if not (end_on[hip] and measured[shoulder] and measured[knee] and network[knee] < network[hip] - _LAP_M):
            continue
        along = pixels[hip] + steps[:, None] * (pixels[shoulder] - pixels[hip])
        radius = RADII_M[hip]
        windows = np.full(len(steps), 0.4 * radius * focal / z[shoulder])
        expected = np.full(len(steps), z[shoulder] - radius)
        surface, counts = _look(depth, along, windows, expected, _TOLERANCE_M, _MIDDLE)
        known = counts[:, 2] > _ENOUGH * counts[:, 0]
        if known.sum() < 3:
            continue
        trunk = float(np.polyfit(steps[known], surface[known], 1)[1]) + radius
        if z[hip] < trunk - 0.06:
            z[hip] = trunk
    return z
