"""An Azure Kinect (or Femto Bolt) recording replayed as a camera with depth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from hal.camera.kinect_frames import FrameMaker, KinectCapture
from hal.camera.kinect_playback import PlaybackReader
from hal.camera.kinect_tracks import TrackReader
from hal.camera.pace import slept_until
from hal.errors import StreamEndedError, UnreadableRecordingError
from hal.types import Counters, DeviceInfo, Frame


class KinectMkvCamera:
    """Replays colour, depth and the built-in sensor of an MKV that the maker's recorder wrote.

    It does not simulate lost frames, a drifting clock, or a lost device. Stamps are the device's own. Unpaced, frames
    come as fast as they are asked for; their arrival is then the time of opening plus the time into the recording.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("colour", "depth", "gravity", "the file's own rate", "replay")

    class Options(BaseModel):
        """`file`: the recording. `realtime`: deliver each frame when it is due. `reader`: both give the same;
        `pyav` needs no vendor's library and survives damaged files, `k4a` is the maker's own (x86-64)."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        file: Path
        realtime: bool = False
        reader: Literal["pyav", "k4a"] = "pyav"

    def __init__(self, options: Options) -> None:
        self._options = options
        self._reader: TrackReader | PlaybackReader | None = None
        self._maker: FrameMaker | None = None
        self._captures: Iterator[KinectCapture] = iter(())
        self._next: KinectCapture | None = None
        self._first_ns = self._opened_ns = self._lost = 0
        self._info = DeviceInfo("kinect_mkv", options.file.name, 0.0, synthetic=True)

    @property
    def info(self) -> DeviceInfo:
        """Rate and gravity are the recording's, known once it is open."""
        return self._info

    @property
    def counters(self) -> Counters:
        """Frames that the recording itself lacks, or that are damaged in it."""
        return Counters(lost=self._lost)

    def open(self) -> None:
        """Raises `DeviceNotFoundError` for a missing file, `UnreadableRecordingError` for what is no such recording."""
        self.close()
        file = self._options.file
        reader = PlaybackReader(file) if self._options.reader == "k4a" else TrackReader(file)
        self._reader = reader
        self._captures = reader.captures()
        self._next = next(self._captures, None)
        if self._next is None:
            self.close()
            raise UnreadableRecordingError(f"{file}: no picture in it can be read; is it cut short?")
        self._maker, self._lost = FrameMaker(reader.calibration, reader.rate_hz), 0
        self._first_ns, self._opened_ns = self._next.stamp_ns, time.monotonic_ns()
        self._info = DeviceInfo(
            "kinect_mkv", f"{file.name} ({reader.calibration.serial})", reader.rate_hz, synthetic=True,
            gravity="accelerometer" if reader.has_imu else "camera",
        )  # fmt: skip

    def close(self) -> None:
        self._captures, self._next, self._maker = iter(()), None, None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame; None where it is not due yet. Raises `StreamEndedError` after the last."""
        while self._next is not None and self._maker is not None:
            capture = self._next
            arrival_ns = self._opened_ns + capture.stamp_ns - self._first_ns
            if self._options.realtime:
                if not slept_until(arrival_ns, timeout_s):
                    return None
                arrival_ns = time.monotonic_ns()
            self._next = next(self._captures, None)
            frame = self._maker.frame(capture, arrival_ns)
            if frame is not None:
                self._lost = self._maker.lost
                return frame
        raise StreamEndedError(f"{self._options.file}: the recording ended")
