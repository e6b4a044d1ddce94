"""An Azure Kinect recording read with the maker's library (libk4arecord, by pyk4a). Ours to compare with, mostly.

The library trusts the file: a damaged one can take the process down. `kinect_tracks` is the reader that does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hal.camera.kinect_calibration import parse_calibration
from hal.camera.kinect_frames import KinectCapture, KinectImu
from hal.camera.kinect_library import load_pyk4a
from hal.camera.media import existing_file
from hal.errors import UnreadableRecordingError

_RATES = {"FPS_5": 5.0, "FPS_15": 15.0, "FPS_30": 30.0}


class PlaybackReader:
    """One pass through the file, like `TrackReader`. Raises `DeviceNotFoundError` also where pyk4a is not installed."""

    def __init__(self, file: Path) -> None:
        self._file = existing_file(file)
        pyk4a = load_pyk4a()
        self._error: type[Exception] = pyk4a.K4AException
        self._playback: Any = pyk4a.PyK4APlayback(file)
        try:
            self._playback.open()
        except self._error:
            raise UnreadableRecordingError(f"{file}: the Kinect library cannot open it") from None
        try:
            known = self._playback.configuration
            self.depth_mode = known["depth_mode"].name if known["depth_track_enabled"] else None
            self.has_imu = known["imu_track_enabled"]
            self.rate_hz = _RATES[known["camera_fps"].name]
            if not known["color_track_enabled"] or known["color_format"].name != "COLOR_MJPG":
                raise ValueError("holds no colour as MJPG")
            self.calibration_text = self._playback.calibration_raw.encode()
            color_mode = known["color_resolution"].name.removeprefix("RES_")
            self.calibration = parse_calibration(self.calibration_text, self.depth_mode or "NFOV_UNBINNED", color_mode)
        except (self._error, KeyError, ValueError) as error:
            self.close()
            raise UnreadableRecordingError(f"{file}: {error or 'the Kinect library cannot read its head'}") from None

    def close(self) -> None:
        if self._playback is not None:
            self._playback.close()
            self._playback = None

    def captures(self) -> Iterator[KinectCapture]:
        """In order of time, paired by the library; a capture without colour is left out."""
        sample = self._next_sample()
        while self._playback is not None:
            try:
                capture = self._playback.get_next_capture()
            except (EOFError, self._error):
                return
            if capture.color is None:
                continue
            stamp_ns = capture.color_timestamp_usec * 1000
            own = []
            while sample is not None and sample.acceleration_stamp_ns <= stamp_ns:
                own.append(sample)
                sample = self._next_sample()
            depth = None if capture.depth is None else np.asarray(capture.depth, np.uint16)
            yield KinectCapture(stamp_ns, capture.color.tobytes(), depth, tuple(own))

    def _next_sample(self) -> KinectImu | None:
        try:
            raw = self._playback.get_next_imu_sample() if self.has_imu else None
        except (EOFError, self._error):
            return None
        return None if raw is None else KinectImu.from_pyk4a(raw)
