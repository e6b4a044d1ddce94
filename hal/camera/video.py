"""A video file replayed as a camera. Ours: the way to run the whole box without a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pydantic import BaseModel, ConfigDict

from hal.camera.media import decoded, open_pictures, upright
from hal.camera.pace import slept_until
from hal.errors import StreamEndedError, UnreadableRecordingError
from hal.types import Counters, DeviceInfo, Frame

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,gif,apng,h264,hevc,m4v,ivf,mjpeg"
_SECOND_NS = 1_000_000_000


class VideoCamera:
    """Replays a video's first picture stream. It does not simulate lost frames, a drifting clock, or a lost device.

    Stamps are the file's own (a variable frame rate is kept). Unpaced, frames come as fast as they are asked for and
    their arrival is the time they stand for: the moment of opening plus the time into the video.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("colour", "the file's own rate", "replay")

    class Options(BaseModel):
        """`file`: the video. `realtime`: deliver each frame when it is due, as a camera would."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        file: Path
        realtime: bool = False

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rate_hz = 0.0
        self._container: InputContainer | None = None
        self._frames: Iterator[tuple[int, VideoFrame]] = iter(())
        self._next: tuple[int, VideoFrame] | None = None
        self._index = 0
        self._first_stamp_ns = 0
        self._opened_ns = 0

    @property
    def info(self) -> DeviceInfo:
        """`rate_hz` is the file's average, known once it is open."""
        return DeviceInfo("video", self._options.file.name, self._rate_hz, synthetic=True)

    @property
    def counters(self) -> Counters:
        """A file loses nothing."""
        return Counters()

    def open(self) -> None:
        """Raises `DeviceNotFoundError` for a missing file, `UnreadableRecordingError` for one without a picture."""
        self.close()
        self._container, stream = open_pictures(self._options.file, FORMATS)
        self._rate_hz = float(stream.average_rate or 0)
        self._frames = _stamped(decoded(self._container, stream), stream)
        self._next = next(self._frames, None)
        if self._next is None:
            self.close()
            raise UnreadableRecordingError(f"{self._options.file}: no picture in it can be decoded; is it cut short?")
        self._index = 0
        self._first_stamp_ns = self._next[0]
        self._opened_ns = time.monotonic_ns()

    def close(self) -> None:
        self._frames, self._next = iter(()), None
        if self._container is not None:
            self._container.close()
            self._container = None

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; None where it is not due yet. Raises `StreamEndedError` after the last."""
        if self._next is None:
            raise StreamEndedError(f"{self._options.file}: the video ended after {self._index} frames")
        stamp_ns, picture = self._next
        arrival_ns = self._opened_ns + stamp_ns - self._first_stamp_ns
        if self._options.realtime:
            if not slept_until(arrival_ns, timeout_s):
                return None
            arrival_ns = time.monotonic_ns()
        frame = Frame(self._index, stamp_ns, arrival_ns, upright(picture))
        self._index += 1
        self._next = next(self._frames, None)
        return frame


def _stamped(frames: Iterator[VideoFrame], stream: VideoStream) -> Iterator[tuple[int, VideoFrame]]:
    """Each frame with its time in ns: the file's, or one nominal period on where it has none or steps back."""
    period_ns = int(_SECOND_NS / (stream.average_rate or 25))
    stamp_ns: int | None = None
    for frame in frames:
        own_ns = None
        if frame.pts is not None and frame.time_base is not None:
            own_ns = round(frame.pts * frame.time_base * _SECOND_NS)
        if stamp_ns is None:
            stamp_ns = own_ns or 0
        elif own_ns is not None and own_ns > stamp_ns:
            stamp_ns = own_ns
        else:
            stamp_ns += period_ns
        yield stamp_ns, frame
