"""Where in the depth picture somebody else might be: things of human size besides the person measured. Ours.

It proposes only; furniture is of human size too. `hal.pose.metric` lets the pose network look at each place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.kernels import kernel
from hal.types import Lens

_STRIDE: Final = 8
_FLOOR_BIN_M: Final = 0.05
_FLOOR_SHARE: Final = 0.02
_FLOOR_M: Final = 0.08
_AREA_M2: Final = (0.12, 1.4)
_LENGTH_M: Final = (0.5, 2.4)
_DEEP_M: Final = 0.02


@dataclass(frozen=True, slots=True)
class Box:
    """Part of a picture: columns left..right, rows top..bottom, ends excluded."""

    left: int
    top: int
    right: int
    bottom: int

    def overlap(self, other: Box) -> float:
        """Intersection over union."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        both = max(0, wide) * max(0, high)
        return both / (self._area + other._area - both)

    @property
    def _area(self) -> int:
        return (self.right - self.left) * (self.bottom - self.top)


def human_sized(
    depth: NDArray[np.uint16], lens: Lens, up: NDArray[np.float64] | None, own: NDArray[np.float64]
) -> list[Box]:
    """Boxes round connected things of human size that none of the landmarks `own` (n, 2), pixels, lies on.

    Connected means without a step in depth, over what stands out from the floor. Two people who touch are one thing.
    """
    coarse = depth[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE]
    z = coarse.astype(np.float64) / 1000
    rows, columns = np.mgrid[0 : z.shape[0], 0 : z.shape[1]] * _STRIDE + _STRIDE // 2
    # A straight pinhole is good enough here: the bend of the lens is a few per cent of a person's width.
    points = np.stack(
        [(columns - lens.centre[0]) / lens.focal[0] * z, (rows - lens.centre[1]) / lens.focal[1] * z, z], axis=-1
    )
    z[_floor(points, z > 0, np.array([0.0, -1.0, 0.0]) if up is None else up)] = 0
    labels = np.zeros(z.shape, np.int32)
    count = _connected(z, labels)
    cells = (own // _STRIDE).astype(np.int64)
    inside = (cells >= 0).all(axis=1) & (cells[:, 0] < z.shape[1]) & (cells[:, 1] < z.shape[0])
    mine = set(labels[cells[inside, 1], cells[inside, 0]].tolist())
    areas = np.bincount(labels.ravel(), (z**2).ravel(), count + 1) * _STRIDE**2 / (lens.focal[0] * lens.focal[1])
    boxes = []
    for label in np.flatnonzero((areas > _AREA_M2[0]) & (areas < _AREA_M2[1])):
        where = labels == label
        if label != 0 and label not in mine and _human(points[where]):
            boxes.append(_box(where, lens))
    return boxes


def _floor(points: NDArray[np.float64], known: NDArray[np.bool_], up: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The lowest level that much of the picture lies on, and everything under it."""
    height = points @ up
    if not known.any():
        return known
    low = float(height[known].min())
    levels = ((height[known] - low) / _FLOOR_BIN_M).astype(np.int64)
    crowded = np.flatnonzero(np.bincount(levels) > _FLOOR_SHARE * known.sum())
    floor = low + _FLOOR_BIN_M * float(crowded[0] if len(crowded) else 0)
    return np.asarray(known & (height < floor + _FLOOR_BIN_M + _FLOOR_M))


def _human(points: NDArray[np.float64]) -> bool:
    """Long and deep enough: the spread along the longest and the shortest of its own axes."""
    axes = np.linalg.eigh(np.cov(points.T))[1]
    along = (points - points.mean(axis=0)) @ axes
    length = float(np.subtract(*np.quantile(along[:, 2], (0.99, 0.01))))
    return _LENGTH_M[0] < length < _LENGTH_M[1] and float(along[:, 0].std()) > _DEEP_M


def _box(where: NDArray[np.bool_], lens: Lens) -> Box:
    """With a margin of a tenth: the network wants to see some room."""
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    left, right = int(columns[0]) * _STRIDE, (int(columns[-1]) + 1) * _STRIDE
    top, bottom = int(rows[0]) * _STRIDE, (int(rows[-1]) + 1) * _STRIDE
    margin = max(right - left, bottom - top) // 10
    return Box(
        max(0, left - margin), max(0, top - margin), min(lens.width, right + margin), min(lens.height, bottom + margin)
    )


@kernel
def _connected(z: NDArray[np.float64], labels: NDArray[np.int32]) -> int:
    """Numbers the connected parts in `labels`, from 1; unknown depth (0) stays 0. Their number."""
    rows, columns = z.shape
    stack = np.empty((rows * columns, 2), np.int32)
    count = 0
    for row in range(rows):
        for column in range(columns):
            if z[row, column] <= 0 or labels[row, column] != 0:
                continue
            count += 1
            labels[row, column] = count
            stack[0, 0], stack[0, 1] = row, column
            size = 1
            while size > 0:
                size -= 1
                r, c = stack[size, 0], stack[size, 1]
                for side in range(4):
                    r2 = r + (1 if side == 0 else -1 if side == 1 else 0)
                    c2 = c + (1 if side == 2 else -1 if side == 3 else 0)
                    if 0 <= r2 < rows and 0 <= c2 < columns and labels[r2, c2] == 0 and z[r2, c2] > 0:
                        step = abs(z[r2, c2] - z[r, c])
                        if step < 0.05 + 0.02 * z[r, c]:
                            labels[r2, c2] = count
                            stack[size, 0], stack[size, 1] = r2, c2
                            size += 1
    return count
