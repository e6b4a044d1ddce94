"""Azure Kinect DK, and Femto Bolt through Orbbec's K4A wrapper, by pyk4a. One driver instance is one device."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hal.camera.kinect_calibration import parse_calibration
from hal.camera.kinect_frames import FrameMaker, KinectCapture, KinectImu
from hal.camera.kinect_library import load_pyk4a
from hal.errors import DeviceLostError, DeviceNotFoundError, DriverOptionError
from hal.types import Counters, DeviceInfo, Frame
from hal.wired_sync import Sync

RATE_HZ = 30.0
_STALE_SAMPLES = 4096
"""At most this many samples of the built-in sensor are taken with a frame: 2.5 s of them, more than its queue holds."""

_SYNC_MODES = {"standalone": "STANDALONE", "primary": "MASTER", "subordinate": "SUBORDINATE"}


class KinectCamera:
    """Colour 1280 x 720 and narrow-field depth 640 x 576 at 30 frames a second, device stamps, the built-in IMU.

    A frame has both pictures or does not come. Not tried on a device yet: what it delivers is decoded by the same code
    as recordings of a real one, the calls are pyk4a's.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("colour", "depth", "gravity", "30 Hz")

    class Options(BaseModel):
        """`serial`: which device; may be left out where there is one. `sync`: its place on the sync cable.

        `subordinate_delay_us`: how long after the primary this one exposes; 160 us or more between devices keep their
        lasers apart. `library`: the `libk4a.so` to use in place of the one that pyk4a brings (Orbbec's K4A wrapper, for
        a Femto Bolt); one for the whole process.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        serial: str = ""
        sync: Sync = "standalone"
        subordinate_delay_us: int = Field(0, ge=0, le=33_000)
        library: Path | None = None

        @model_validator(mode="after")
        def _delay_is_a_subordinates(self) -> Self:
            if self.subordinate_delay_us and self.sync != "subordinate":
                raise ValueError('subordinate_delay_us is for sync = "subordinate" only')
            return self

    def __init__(self, options: Options) -> None:
        self._options = options
        self._device: Any = None
        self._error: type[Exception] = Exception
        self._timeout: type[Exception] = Exception
        self._maker: FrameMaker | None = None
        self._serial = options.serial
        self._lost = 0

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("kinect", f"Azure Kinect {self._serial}".strip(), RATE_HZ, gravity="accelerometer")

    @property
    def counters(self) -> Counters:
        """Frames are lost in the camera's own library, which keeps two or so and does not say why one is missing."""
        return Counters(lost=self._lost)

    @property
    def sync(self) -> Sync:
        return self._options.sync

    def open(self) -> None:
        """Find the device, check the sync cable, start colour, depth and IMU; a subordinate then awaits its primary.

        Raises `DeviceNotFoundError`, `DriverOptionError` where the cable contradicts the settings.
        """
        self.close()
        pyk4a = load_pyk4a(self._options.library)
        self._error, self._timeout = pyk4a.K4AException, pyk4a.K4ATimeoutException
        self._device = self._found(pyk4a)
        try:
            self._check_cable()
            calibration = parse_calibration(self._device.calibration_raw, "NFOV_UNBINNED", "720P")
            self._device.start()
        except ValueError as error:
            self.close()
            raise DeviceNotFoundError(f"{self._name}: {error}; the device needs its maker's repair") from None
        except self._error:
            self.close()
            raise DeviceNotFoundError(
                f"{self._name}: does not start; power it off and on, and give it a USB 3 port of its own"
            ) from None
        except DriverOptionError:
            self.close()
            raise
        self._maker, self._lost = FrameMaker(calibration, RATE_HZ), 0

    def close(self) -> None:
        device, self._device, self._maker = self._device, None, None
        if device is None:
            return
        if device.is_running:
            with contextlib.suppress(self._error):
                device.stop()
            device.is_running = False  # or its finalizer would try again, on a device that is gone
        if device.opened:
            with contextlib.suppress(self._error):
                device.close()

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time. Raises `DeviceLostError` where the device stopped answering."""
        if self._device is None or self._maker is None:
            raise DeviceLostError(f"{self._name}: is not open")
        due = time.monotonic() + timeout_s
        while (left_s := due - time.monotonic()) >= 0:
            try:
                capture = self._device.get_capture(timeout=max(1, round(left_s * 1000)))
                arrival_ns = time.monotonic_ns()
                imu = self._samples()
            except self._timeout:
                return None
            except self._error:
                raise DeviceLostError(f"{self._name}: stopped answering; is its cable or its power out?") from None
            if capture.color is None or capture.depth is None:
                continue
            color = KinectCapture(
                capture.color_timestamp_usec * 1000, bytes(capture.color), np.asarray(capture.depth, np.uint16), imu
            )
            frame = self._maker.frame(color, arrival_ns)
            if frame is not None:
                self._lost = self._maker.lost
                return frame
        return None

    @property
    def _name(self) -> str:
        return f"Kinect {self._serial}" if self._serial else "Kinect"

    def _found(self, pyk4a: Any) -> Any:
        """The device of that serial number, opened. pyk4a keeps Python's lock while it waits unless told otherwise."""
        options = self._options
        config = pyk4a.Config(
            color_resolution=pyk4a.ColorResolution.RES_720P,
            color_format=pyk4a.ImageFormat.COLOR_MJPG,
            depth_mode=pyk4a.DepthMode.NFOV_UNBINNED,
            camera_fps=pyk4a.FPS.FPS_30,
            synchronized_images_only=True,
            wired_sync_mode=pyk4a.WiredSyncMode[_SYNC_MODES[options.sync]],
            subordinate_delay_off_master_usec=options.subordinate_delay_us,
            disable_streaming_indicator=False,  # whoever is filmed sees that they are
        )
        count = pyk4a.connected_device_count()
        others = []
        for index in range(count):
            device = pyk4a.PyK4A(config, device_id=index, thread_safe=False)
            try:
                device.open()
                serial = device.serial
            except self._error:
                others.append("one that another programme holds, or that udev lets only root open")
                continue
            if options.serial in ("", serial) and not (options.serial == "" and count > 1):
                self._serial = serial
                return device
            others.append(serial)
            device.close()
        wanted = (
            f"Kinect {options.serial}"
            if options.serial
            else "camera.serial: say which Kinect"
            if count > 1
            else "Kinect"
        )
        found = ", ".join(others) or "none; check power and a USB 3 cable"
        raise DeviceNotFoundError(f"{wanted}: not found; connected: {found}")

    def _check_cable(self) -> None:
        plugged_in, plugged_out = self._device.sync_jack_status
        if self._options.sync == "primary" and not plugged_out:
            raise DriverOptionError(f'{self._name}: sync = "primary", but nothing is plugged into its sync OUT')
        if self._options.sync == "subordinate" and not plugged_in:
            raise DriverOptionError(f'{self._name}: sync = "subordinate", but nothing is plugged into its sync IN')

    def _samples(self) -> tuple[KinectImu, ...]:
        samples: list[KinectImu] = []
        while len(samples) < _STALE_SAMPLES:
            try:
                raw = self._device.get_imu_sample(timeout=0)
            except self._timeout:
                break
            samples.append(KinectImu.from_pyk4a(raw))
        return tuple(samples)
