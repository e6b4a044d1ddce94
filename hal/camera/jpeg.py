"""A camera's JPEG picture to RGB, by FFmpeg's decoder: it refuses damaged data, where libjpeg (OpenCV's) shows grey
stripes and writes about them to stderr."""

from __future__ import annotations

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decode_jpeg(data: bytes, width: int, height: int) -> NDArray[np.uint8] | None:
    """(height, width, 3) uint8 RGB, or None for what is no whole JPEG picture of that size.

    The size is read first: a damaged header could ask the decoder for gigabytes.
    """
    if _size(data) != (width, height):
        return None
    decoder = av.VideoCodecContext.create("mjpeg", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode"}
    try:
        pictures = decoder.decode(av.Packet(data))
        picture = pictures[0].to_ndarray(format="rgb24") if pictures else None
    except (FFmpegError, ValueError):
        return None
    return None if picture is None or picture.shape != (height, width, 3) else np.asarray(picture, np.uint8)


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
