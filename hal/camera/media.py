"""Opening pictures and videos with FFmpeg's libraries (PyAV); whatever is wrong with a file is one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hal.errors import DeviceNotFoundError, UnreadableRecordingError


def existing_file(file: Path) -> Path:
    """`file`. Raises `DeviceNotFoundError` where it is missing, `UnreadableRecordingError` for a folder or no byte."""
    if not file.exists():
        raise DeviceNotFoundError(f"{file}: no such file")
    if not file.is_file():
        raise UnreadableRecordingError(f"{file}: is not a regular file; name a video or a picture")
    if not file.stat().st_size:
        raise UnreadableRecordingError(f"{file}: is empty")
    return file


def open_pictures(file: Path, formats: str, picked: str | None = None) -> tuple[InputContainer, VideoStream]:
    """The file and its stream of pictures; `formats` are the demuxers allowed, with commas, `picked` the one known.

    FFmpeg left to itself would also "play" a text file, or follow a playlist to other files: hence the list.
    Raises `DeviceNotFoundError`, `UnreadableRecordingError`.
    """
    allowed = {"format_whitelist": formats, "protocol_whitelist": "file"}
    try:
        container = av.open(
            str(existing_file(file).absolute()), format=picked, options=allowed, metadata_errors="replace"
        )
    except PermissionError:
        raise UnreadableRecordingError(f"{file}: may not be read; check its permissions") from None
    except (FFmpegError, OSError):
        raise UnreadableRecordingError(f"{file}: is not a video or picture, or is cut short or damaged") from None
    moving = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not moving:
        container.close()
        raise UnreadableRecordingError(f"{file}: holds no video, only other streams")
    return container, moving[0]


def decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The frames that can be decoded, in order; a file that is damaged further on ends there."""
    frames = container.decode(stream)
    while True:
        try:
            frame = next(frames, None)
        except (FFmpegError, OSError):
            return
        if frame is None:
            return
        yield frame


def upright(frame: VideoFrame) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB, turned by the quarter turns that the file asks for (telephones film sideways)."""
    picture: NDArray[Any] = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))
