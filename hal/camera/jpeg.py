"""A camera's JPEG picture to RGB, by FFmpeg's decoder: it refuses damaged data, where libjpeg (OpenCV's) shows grey
stripes and writes about them to stderr."""

from __future__ import annotations

from typing import Any, cast

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
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
    except (FFmpegError, ValueError):
        return None
    if len(pictures) != 1 or (pictures[0].width, pictures[0].height) != (width, height):
        return None
    return _rgb(pictures[0])


def _rgb(picture: VideoFrame) -> NDArray[np.uint8]:
    """As libjpeg does it: colour brought to full size with a triangle filter, then rounded. FFmpeg's own way is a shade
    darker, enough to change what the pose network sees."""
    if not picture.format.name.startswith("yuvj"):
        return np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    size = picture.width, picture.height
    luma, blue, red = (
        np.frombuffer(cast(Any, plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        for plane in picture.planes
    )
    full = (luma, *(cv2.resize(chroma, size, interpolation=cv2.INTER_LINEAR) for chroma in (red, blue)))
    return np.asarray(cv2.cvtColor(cv2.merge(full), cv2.COLOR_YCrCb2RGB), np.uint8)


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
