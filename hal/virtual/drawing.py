"""The virtual patient drawn as a person in a room, well enough for a pose network to find them in every picture.

Ours: what needs pictures of a person, and has none that may be passed on, can be run and measured anywhere.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hal.virtual.body import STANDARD_17

Colour = tuple[int, int, int]
Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]

_SKIN, _HAIR, _LIPS, _EYES = (224, 172, 140), (60, 40, 30), (160, 70, 70), (250, 250, 250)
_SHIRT, _TROUSERS, _SHOES, _FLOOR = (60, 90, 160), (50, 50, 60), (30, 25, 25), (140, 115, 95)
_EYE_HEIGHT_M, _AWAY_M = 0.9, 3.0
"""Of the camera."""
_SHADES = ((1.0, 0.75), (0.75, 0.9), (0.4, 1.05))
"""Width and brightness, from the edge of a limb to its middle."""


def draw(positions: Floats, width: int = 480, height: int = 640) -> Picture:
    """(height, width, 3) uint8 RGB of a body: (17, 3) standard joints in metres, stage axes, seen from the front."""
    return _Sheet(positions, width, height).drawn()


class _Sheet:
    """One picture. Lengths are metres until they are drawn."""

    def __init__(self, positions: Floats, width: int, height: int) -> None:
        self._image: Picture = np.empty((height, width, 3), np.uint8)
        self._image[:] = np.linspace(225, 190, height)[:, None, None]
        self._image[int(0.82 * height) :] = _FLOOR
        seen = positions - np.array([0.0, _EYE_HEIGHT_M, _AWAY_M])
        focal = 0.98 * height
        pixels = np.array([width / 2, height / 2]) + focal * seen[:, :2] * (1, -1) / -seen[:, 2:]
        self._at = dict(zip(STANDARD_17, pixels, strict=True))
        self._scale = focal / _AWAY_M

    def drawn(self) -> Picture:
        for side, outwards in (("left", 1.0), ("right", -1.0)):
            self._leg(side, outwards)
        self._trunk()
        for side in ("left", "right"):
            self._arm(side)
        self._head()
        return np.asarray(cv2.GaussianBlur(self._image, (3, 3), 0), np.uint8)

    def _leg(self, side: str, outwards: float) -> None:
        hip, knee, ankle = (self._at[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        self._limb(hip, knee, 0.085, 0.06, _TROUSERS)
        self._limb(knee, ankle, 0.06, 0.045, _TROUSERS)
        self._limb(ankle, self._from(ankle, 0.04 * outwards, 0.09), 0.045, 0.05, _SHOES)

    def _trunk(self) -> None:
        corners = [
            self._from(self._at[joint], x, y)
            for joint, x, y in (
                ("left_shoulder", 0.03, -0.01), ("left_hip", 0.07, 0.03),
                ("right_hip", -0.07, 0.03), ("right_shoulder", -0.03, -0.01),
            )
        ]  # fmt: skip
        cv2.fillConvexPoly(self._image, np.array(corners).astype(np.int32), _shaded(_SHIRT, 0.85), cv2.LINE_AA)
        self._limb(self._at["thorax"], self._at["pelvis"], 0.12, 0.10, _SHIRT)

    def _arm(self, side: str) -> None:
        shoulder, elbow, wrist = (self._at[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
        self._limb(shoulder, elbow, 0.06, 0.045, _SHIRT)
        self._limb(elbow, wrist, 0.042, 0.032, _SKIN)
        self._oval(self._from(wrist, 0.0, 0.05), 0.045, 0.045, _SKIN)

    def _head(self) -> None:
        head = self._at["head"]
        self._limb(self._at["neck"], head, 0.05, 0.05, _SKIN)
        face = self._from(head, 0.0, -0.05)
        self._oval(self._from(face, 0.0, -0.03), 0.088, 0.125, _HAIR)
        self._oval(face, 0.078, 0.11, _SKIN)
        for outwards in (-1.0, 1.0):
            eye = self._from(face, 0.032 * outwards, -0.02)
            self._oval(eye, 0.016, 0.009, _EYES)
            self._oval(eye, 0.008, 0.008, _HAIR)
            self._oval(self._from(eye, 0.0, -0.023), 0.018, 0.004, _HAIR)
        self._limb(face, self._from(face, -0.008, 0.03), 0.005, 0.005, _shaded(_SKIN, 0.75))
        self._oval(self._from(face, 0.0, 0.058), 0.028, 0.007, _LIPS)

    def _from(self, pixel: Floats, right_m: float, down_m: float) -> Floats:
        return np.asarray(pixel + np.array([right_m, down_m]) * self._scale)

    def _oval(self, middle: Floats, across: float, along: float, colour: Colour) -> None:
        half = max(1, int(across * self._scale)), max(1, int(along * self._scale))
        cv2.ellipse(self._image, (int(middle[0]), int(middle[1])), half, 0, 0, 360, colour, -1, cv2.LINE_AA)

    def _limb(self, start: Floats, end: Floats, start_m: float, end_m: float, colour: Colour) -> None:
        """A tapered roll, lit from the front. start_m, end_m: half its width."""
        along = (end - start) / (np.linalg.norm(end - start) + 1e-6)
        across = np.array([-along[1], along[0]]) * self._scale
        for width, light in _SHADES:
            a, b, shade = across * start_m * width, across * end_m * width, _shaded(colour, light)
            outline = np.array([start + a, end + b, end - b, start - a]).astype(np.int32)
            cv2.fillConvexPoly(self._image, outline, shade, cv2.LINE_AA)
            self._oval(start, start_m * width, start_m * width, shade)
            self._oval(end, end_m * width, end_m * width, shade)


def _shaded(colour: Colour, light: float) -> Colour:
    red, green, blue = (int(min(255.0, value * light)) for value in colour)
    return red, green, blue
