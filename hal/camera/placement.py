"""How a camera stands: gravity and the floor in its own axes; by them a camera that was moved is noticed. Ours.

What turns about the vertical or slides along the floor leaves both as they were: it is not noticed here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hal.camera.lens import rays
from hal.types import Frame, Lens

Floats = NDArray[np.float64]

MOST_TILT_DEG = 1.0
"""Between two directions of gravity. Our choice: at 2.5 m a degree moves a joint by 4 cm, more than depth is off."""
MOST_FLOOR_TILT_DEG = 1.5
MOST_RISE_M = 0.03
"""The maker states depth to 11 mm + 0.1 %, and a thin mat may have been laid on the floor."""

MOST_FRAMES = 30
_STEP = 8
"""Every eighth pixel both ways: 14,400 points of a 720p picture."""
_BIN_M = 0.05
_CROWD_SHARE = 0.03
_FLOOR_SHARE = 0.05
_BANDS_M = (0.12, 0.08, 0.05, 0.03, 0.03)
_ROUGHEST_M = 0.02
_STEEPEST_DEG = 6.0
"""The floor against the accelerometer's level; beyond it, it is a ramp or a bed."""


@dataclass(frozen=True, slots=True)
class Floor:
    """normal: (3,) unit vector, upwards, in the camera's axes. height_m: of the camera above the floor."""

    normal: Floats
    height_m: float


@dataclass(frozen=True, slots=True)
class Placement:
    """up: (3,) unit vector against gravity in the camera's axes. floor: None where none was seen."""

    up: Floats
    floor: Floor | None


@dataclass(frozen=True, slots=True)
class Moved:
    """How a camera stands against how it stood. The floor's numbers are None where it was not seen both times."""

    tilt_deg: float
    floor_tilt_deg: float | None
    rise_m: float | None

    @property
    def noticed(self) -> bool:
        """Whether this is more than the sensors' own wandering."""
        return (
            self.tilt_deg > MOST_TILT_DEG
            or (self.floor_tilt_deg is not None and self.floor_tilt_deg > MOST_FLOOR_TILT_DEG)
            or (self.rise_m is not None and abs(self.rise_m) > MOST_RISE_M)
        )


def measure_placement(frames: Iterable[Frame]) -> Placement | None:
    """How the camera stands, from up to `MOST_FRAMES` frames at rest; None where none of them tells what is up."""
    ups: list[Floats] = []
    depths: list[NDArray[np.uint16]] = []
    lens: Lens | None = None
    for frame, _ in zip(frames, range(MOST_FRAMES), strict=False):
        if frame.up is not None:
            ups.append(frame.up)
        if frame.depth is not None and frame.lens is not None:
            depths.append(frame.depth[::_STEP, ::_STEP])
            lens = frame.lens
    if not ups:
        return None
    up = np.sum(ups, axis=0)
    up = up / np.linalg.norm(up)
    return Placement(up, None if lens is None else _floor(_points(depths, lens), up))


def compare(before: Placement, now: Placement) -> Moved:
    tilt = _angle_deg(before.up, now.up)
    if before.floor is None or now.floor is None:
        return Moved(tilt, None, None)
    floor_tilt = _angle_deg(before.floor.normal, now.floor.normal)
    return Moved(tilt, floor_tilt, now.floor.height_m - before.floor.height_m)


def _points(depths: list[NDArray[np.uint16]], lens: Lens) -> Floats:
    """(points, 3) metres in the camera's axes: the median over the frames of what each pixel saw."""
    seen = np.stack(depths).astype(np.float64)
    known = (seen > 0).sum(axis=0) * 2 > len(seen)
    seen[seen == 0] = np.nan
    away = np.nanmedian(seen[:, known], axis=0) / 1000
    rows, columns = np.nonzero(known)
    straight = rays(lens, np.stack([columns, rows], axis=-1) * float(_STEP))
    points = np.column_stack([straight, np.ones(len(straight))]) * away[:, None]
    return np.asarray(points[np.isfinite(points).all(axis=1)])


def _floor(points: Floats, up: Floats) -> Floor | None:
    """The lowest large level surface: what lies below it (reflections in a shiny floor) is too little to count."""
    if not len(points):
        return None
    height = points @ up
    bins = np.floor((height - height.min()) / _BIN_M).astype(np.int64)
    crowded = np.flatnonzero(np.bincount(bins) > _CROWD_SHARE * len(points))
    if not len(crowded):
        return None
    normal, level = up, float(height.min() + (crowded[0] + 0.5) * _BIN_M)
    for band in _BANDS_M:
        on_floor = points[np.abs(points @ normal - level) < band]
        if len(on_floor) < max(3, _FLOOR_SHARE * len(points)):
            return None
        middle = on_floor.mean(axis=0)
        off = on_floor - middle
        normal = np.linalg.eigh(off.T @ off)[1][:, 0]
        normal = normal if normal @ up > 0 else -normal
        level = float(middle @ normal)
        if _angle_deg(normal, up) > _STEEPEST_DEG:
            return None
    rough = float(np.sqrt(np.mean((on_floor @ normal - level) ** 2)))
    return Floor(normal, -level) if rough < _ROUGHEST_M and level < 0 else None


def _angle_deg(first: Floats, second: Floats) -> float:
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(first, second))), float(first @ second)))
