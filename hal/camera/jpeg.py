"""A camera's JPEG picture to RGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode_jpeg(data: bytes, width: int, height: int) -> NDArray[np.uint8] | None:
    """(height, width, 3) uint8 RGB, or None for what is no JPEG picture of that size.

    The size is read first: a damaged header could ask the decoder for gigabytes.
    """
    if _size(data) != (width, height):
        return None
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    if picture is None or picture.shape != (height, width, 3):
        return None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the frame header (JPEG, ITU-T T.81, B.2.2)."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _NO_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAME_HEADERS and at + 9 <= len(data):
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
