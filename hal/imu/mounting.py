"""How a sensor sits on its segment: its axes in those of the segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator

Floats = NDArray[np.float64]


def _unit(rotation: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    length = float(np.linalg.norm(rotation))
    if not abs(length - 1.0) < 1e-3:
        raise ValueError("a rotation is a unit quaternion w, x, y, z")
    w, x, y, z = (part / length for part in rotation)
    return w, x, y, z


Rotation = Annotated[tuple[float, float, float, float], AfterValidator(_unit)]
"""A unit quaternion w, x, y, z, as settings give it."""


_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])


class Mounting:
    """Turns what sensors measure from their own axes into those of their segments, where settings say they differ."""

    def __init__(self, rotations: Mapping[str, tuple[float, float, float, float]]) -> None:
        """rotations: by segment, from sensor axes to segment axes."""
        self._rotations = {segment: np.array(rotation) for segment, rotation in rotations.items()}
        self._matrices = {segment: matrix(rotation) for segment, rotation in self._rotations.items()}

    def vectors(self, segments: Sequence[str], values: Floats) -> Floats:
        """values: (samples, 3) in sensor axes, one row a segment -> the same in segment axes."""
        for row, segment in enumerate(segments) if self._matrices else ():
            if segment in self._matrices:
                values[row] = self._matrices[segment] @ values[row]
        return values

    def orientations(self, segments: Sequence[str], values: Floats) -> Floats:
        """values: (samples, 4) quaternions from sensor to world, one row a segment -> from segment to world."""
        for row, segment in enumerate(segments) if self._rotations else ():
            if segment in self._rotations:
                values[row] = product(values[row], self._rotations[segment] * _CONJUGATE)
        return values


def product(a: Floats, b: Floats) -> Floats:
    """The rotation b followed by a, both (..., 4) quaternions w, x, y, z."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        axis=-1,
    )


def matrix(rotation: Floats) -> Floats:
    """The (3, 3) matrix of a unit quaternion w, x, y, z."""
    w, x, y, z = rotation
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
