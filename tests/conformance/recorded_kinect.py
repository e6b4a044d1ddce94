"""A Kinect behind the maker's library, played by a recording of a real one.

pyk4a is the real one; its calls into the maker's C library end here, and are answered with what a device wrote: its
calibration, its JPEG and depth bytes, its inertial sample. The one capture comes again and again, 30 times a second by
the device's clock. As the library does, it keeps the two newest captures and opens a descriptor for the device.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyk4a.module
import pytest

from hal.camera.kinect_tracks import TrackReader

SUCCESS, FAILED, TIMEOUT = 0, 1, 2
PERIOD_S = 1 / 30
KEPT = 2


class RecordedKinect:
    """Installs itself in place of the library's functions; `gone` is a pulled plug."""

    kept_s = KEPT * PERIOD_S

    def __init__(self, recording: Path, patch: pytest.MonkeyPatch) -> None:
        reader = TrackReader(recording)
        self.serial = reader.calibration.serial
        self._calibration = reader.calibration_text.decode()
        self._capture = next(reader.captures())
        reader.close()
        self.gone = False
        self._handle: int | None = None
        self._started_s: float | None = None
        self._next = self._next_sample = 0
        for name in dir(type(self)):
            if name.startswith(("device_", "capture_")):
                patch.setattr(pyk4a.module.k4a_module, name, getattr(self, name))

    def pull(self) -> None:
        self.gone = True

    def plug_in(self) -> None:
        self.gone = False

    def device_get_installed_count(self) -> int:
        return 0 if self.gone else 1

    def device_open(self, index: int, thread_safe: bool) -> tuple[int, int | None]:
        if self.gone or index or self._handle is not None:
            return FAILED, None
        self._handle = os.open("/dev/null", os.O_RDONLY)
        return SUCCESS, self._handle

    def device_close(self, handle: int, thread_safe: bool) -> int:
        os.close(self._known(handle))
        self._handle = self._started_s = None
        return SUCCESS

    def device_get_serialnum(self, handle: int, thread_safe: bool) -> str:
        self._known(handle)
        return self.serial

    def device_get_raw_calibration(self, handle: int, thread_safe: bool) -> str:
        self._known(handle)
        return self._calibration

    def device_get_calibration(self, handle: int, *modes: Any) -> tuple[int, object]:
        self._known(handle)
        return SUCCESS, object()

    def device_get_sync_jack(self, handle: int, thread_safe: bool) -> tuple[int, int, int]:
        self._known(handle)
        return SUCCESS, 0, 0

    def device_start_cameras(self, handle: int, thread_safe: bool, *config: Any) -> int:
        self._known(handle)
        assert self._started_s is None, "started twice"
        self._started_s, self._next, self._next_sample = time.monotonic(), 0, 0
        return FAILED if self.gone else SUCCESS

    def device_stop_cameras(self, handle: int, thread_safe: bool) -> int:
        self._known(handle)
        self._started_s = None
        return SUCCESS

    def device_start_imu(self, handle: int, thread_safe: bool) -> int:
        self._known(handle)
        return FAILED if self.gone else SUCCESS

    def device_stop_imu(self, handle: int, thread_safe: bool) -> int:
        self._known(handle)
        return FAILED if self.gone else SUCCESS

    def device_get_capture(self, handle: int, thread_safe: bool, timeout_ms: int) -> tuple[int, int | None]:
        self._known(handle)
        if self.gone or self._started_s is None:
            return FAILED, None
        now_s = time.monotonic() - self._started_s
        self._next = max(self._next, int(now_s / PERIOD_S) + 1 - KEPT)
        wait_s = (self._next + 1) * PERIOD_S - now_s
        if wait_s > timeout_ms / 1000:
            time.sleep(timeout_ms / 1000)
            return TIMEOUT, None
        time.sleep(max(0.0, wait_s))
        self._next += 1
        return SUCCESS, self._next - 1

    def capture_get_color_image(self, number: int, thread_safe: bool) -> tuple[Any, int, int]:
        return np.frombuffer(self._capture.color, np.uint8), self._stamp_us(number), 0

    def capture_get_depth_image(self, number: int, thread_safe: bool) -> tuple[Any, int, int]:
        return self._capture.depth, self._stamp_us(number), 0

    def device_get_imu_sample(self, handle: int, thread_safe: bool, timeout_ms: int) -> tuple[int, Any]:
        """One a capture is enough here; a device gives 1600 a second."""
        self._known(handle)
        if self._next_sample >= self._next:
            return TIMEOUT, None
        self._next_sample += 1
        (sample, *_), stamp_us = self._capture.imu, self._stamp_us(self._next_sample)
        return SUCCESS, {
            "temperature": 30.0, "acc_sample": sample.acceleration, "acc_timestamp": stamp_us,
            "gyro_sample": sample.turn, "gyro_timestamp": stamp_us,
        }  # fmt: skip

    def _stamp_us(self, number: int) -> int:
        return self._capture.stamp_ns // 1000 + round(number * PERIOD_S * 1e6)

    def _known(self, handle: int) -> int:
        assert handle == self._handle is not None, "a handle that is not open: the library would crash"
        return handle
