"""One picture as a camera that sees one frame. Ours: for a first look at a set-up, and for tests."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from hal.camera.media import decoded, existing_file, open_pictures, upright
from hal.errors import StreamEndedError, UnreadableRecordingError
from hal.types import Counters, DeviceInfo, Frame

_SIGNATURES = {b"\xff\xd8\xff": "jpeg_pipe", b"\x89PNG\r\n": "png_pipe", b"BM": "bmp_pipe", b"RIFF": "webp_pipe",
               b"II*\x00": "tiff_pipe", b"MM\x00*": "tiff_pipe"}  # fmt: skip
"""How a picture's file begins, and FFmpeg's name for what it then is."""


class ImageCamera:
    """A picture: one frame, stamped 0, then the end."""

    capabilities: ClassVar[tuple[str, ...]] = ("colour", "replay")

    class Options(BaseModel):
        """`file`: the picture (JPEG, PNG, BMP, TIFF or WebP, told by its content)."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        file: Path

    def __init__(self, options: Options) -> None:
        self._options = options
        self._frame: Frame | None = None

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("image", self._options.file.name, 0.0, synthetic=True)

    @property
    def counters(self) -> Counters:
        """A file loses nothing."""
        return Counters()

    def open(self) -> None:
        """Raises `DeviceNotFoundError` for a missing file, `UnreadableRecordingError` for what is no picture."""
        self.close()
        file = self._options.file
        with existing_file(file).open("rb") as stream:
            head = stream.read(16)
        kind = next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)
        if kind is None:
            raise UnreadableRecordingError(f"{file}: is not a JPEG, PNG, BMP, TIFF or WebP picture")
        container, pictures = open_pictures(file, kind, kind)
        with container:
            picture = next(decoded(container, pictures), None)
            if picture is None:
                raise UnreadableRecordingError(f"{file}: the picture cannot be decoded; is it cut short?")
            self._frame = Frame(0, 0, time.monotonic_ns(), upright(picture))

    def close(self) -> None:
        self._frame = None

    def read(self, timeout_s: float) -> Frame | None:
        """The picture, once. Raises `StreamEndedError` then."""
        frame, self._frame = self._frame, None
        if frame is None:
            raise StreamEndedError(f"{self._options.file}: a picture has one frame")
        return frame
