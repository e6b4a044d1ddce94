"""The live driver against a stand-in for pyk4a: what is asked of the device, and what becomes of its answers.

No Kinect is at hand, so the fake stands at the boundary to the vendor's library; what the device would deliver is made
as in a recording.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from hal.camera.kinect import KinectCamera
from hal.errors import DeviceLostError, DeviceNotFoundError, DriverOptionError
from hal.registry import driver_options
from hal.wired_sync import start_order


class K4AError(Exception):
    pass


class K4ATimeoutError(K4AError):
    pass


class Rig:
    """The connected devices by serial number, and a log of what was asked of them."""

    def __init__(self, calibration: str) -> None:
        self.calibration = calibration
        self.serials = ["111", "222"]
        self.held: set[str] = set()
        self.jacks = (True, True)
        self.captures: list[Any] = []
        self.imu: list[Any] = []
        self.gone = False
        self.log: list[tuple[str, str]] = []
        self.configs: list[SimpleNamespace] = []


def fake_pyk4a(rig: Rig) -> SimpleNamespace:
    class Device:
        def __init__(self, config: SimpleNamespace, device_id: int, thread_safe: bool) -> None:
            assert not thread_safe, "with thread_safe pyk4a holds Python's lock while it waits"
            self.config, self._serial = config, rig.serials[device_id]
            self.opened = self.is_running = False

        def open(self) -> None:
            if self._serial in rig.held:
                raise K4AError
            self.opened = True
            rig.log.append(("open", self._serial))

        @property
        def serial(self) -> str:
            return self._serial

        @property
        def sync_jack_status(self) -> tuple[bool, bool]:
            return rig.jacks

        @property
        def calibration_raw(self) -> str:
            return rig.calibration

        def start(self) -> None:
            if rig.gone:
                raise K4AError
            self.is_running = True
            rig.configs.append(self.config)
            rig.log.append(("start", self._serial))

        def stop(self) -> None:
            if rig.gone:
                raise K4AError
            self.is_running = self.opened = False
            rig.log.append(("close", self._serial))

        def close(self) -> None:
            self.opened = False
            rig.log.append(("close", self._serial))

        def get_capture(self, timeout: int) -> Any:
            assert timeout > 0, "0 or less would wait for ever"
            if rig.gone:
                raise K4AError
            if not rig.captures:
                raise K4ATimeoutError
            return rig.captures.pop(0)

        def get_imu_sample(self, timeout: int) -> Any:
            assert timeout == 0
            if not rig.imu:
                raise K4ATimeoutError
            return rig.imu.pop(0)

    return SimpleNamespace(
        PyK4A=Device,
        Config=SimpleNamespace,
        K4AException=K4AError,
        K4ATimeoutException=K4ATimeoutError,
        connected_device_count=lambda: len(rig.serials),
        ColorResolution=IntEnum("ColorResolution", ["RES_720P"]),
        ImageFormat=IntEnum("ImageFormat", ["COLOR_MJPG"]),
        DepthMode=IntEnum("DepthMode", ["NFOV_UNBINNED"]),
        FPS=IntEnum("FPS", ["FPS_30"]),
        WiredSyncMode=IntEnum("WiredSyncMode", ["STANDALONE", "MASTER", "SUBORDINATE"]),
    )


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch, kinect_calibration: dict[str, Any]) -> Rig:
    made = Rig(json.dumps(kinect_calibration))
    monkeypatch.setitem(sys.modules, "pyk4a", fake_pyk4a(made))
    return made


@pytest.fixture
def camera() -> Any:
    made: list[KinectCamera] = []

    def make(**options: Any) -> KinectCamera:
        made.append(KinectCamera(KinectCamera.Options(**options)))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[..., KinectCamera]


def capture(stamp_us: int, grey: int = 90) -> SimpleNamespace:
    jpeg = cv2.imencode(".jpg", np.full((720, 1280, 3), grey, np.uint8))[1]
    return SimpleNamespace(
        color=jpeg.reshape(-1), color_timestamp_usec=stamp_us, depth=np.full((576, 640), 1500, np.uint16)
    )


def sample(stamp_us: int) -> dict[str, Any]:
    return {
        "acc_sample": (0.0, 0.0, -9.81), "acc_timestamp": stamp_us,
        "gyro_sample": (0.0, 0.1, 0.0), "gyro_timestamp": stamp_us,
    }  # fmt: skip


def test_the_device_is_chosen_by_its_serial_number(rig: Rig, camera: Make) -> None:
    kinect = camera(serial="222")
    kinect.open()
    assert rig.log == [("open", "111"), ("close", "111"), ("open", "222"), ("start", "222")]
    assert "222" in kinect.info.name
    assert kinect.info.gravity == "accelerometer"
    assert not kinect.info.synthetic
    kinect.close()
    kinect.close()
    assert rig.log[-1] == ("close", "222")


@pytest.mark.parametrize(
    ("serials", "asked", "words"),
    [
        ([], "", "none; check power and a USB 3 cable"),
        (["111"], "999", "Kinect 999: not found; connected: 111"),
        (["111", "222"], "", "camera.serial: say which Kinect: not found; connected: 111, 222"),
    ],
)
def test_a_device_that_is_not_there_is_said(rig: Rig, camera: Make, serials: list[str], asked: str, words: str) -> None:
    rig.serials = serials
    with pytest.raises(DeviceNotFoundError, match=words):
        camera(serial=asked).open()
    assert rig.log.count(("open", "111")) == rig.log.count(("close", "111"))


def test_a_device_that_another_programme_holds_does_not_hide_the_wanted_one(rig: Rig, camera: Make) -> None:
    rig.held = {"111"}
    camera(serial="222").open()
    with pytest.raises(DeviceNotFoundError, match="another programme holds"):
        camera(serial="111").open()


def test_it_asks_for_720p_jpeg_and_narrow_depth_together_at_30_fps(rig: Rig, camera: Make) -> None:
    camera(serial="111").open()
    (config,) = rig.configs
    names = {key: getattr(value, "name", value) for key, value in vars(config).items()}
    assert names == {
        "disable_streaming_indicator": False,  # whoever is filmed sees it
        "color_resolution": "RES_720P",
        "color_format": "COLOR_MJPG",
        "depth_mode": "NFOV_UNBINNED",
        "camera_fps": "FPS_30",
        "synchronized_images_only": True,
        "wired_sync_mode": "STANDALONE",
        "subordinate_delay_off_master_usec": 0,
    }


def test_frames_have_the_devices_stamps_its_imu_and_gaps_where_frames_were_lost(rig: Rig, camera: Make) -> None:
    kinect = camera(serial="111")
    kinect.open()
    rig.captures = [capture(1_000_000, 50), capture(1_033_333), capture(1_133_333)]
    rig.imu = [sample(999_000), sample(999_600)]
    frames = [kinect.read(0.5) for _ in range(3)]
    assert [frame and frame.stamp_ns for frame in frames] == [1_000_000_000, 1_033_333_000, 1_133_333_000]
    assert [frame and frame.index for frame in frames] == [0, 1, 4]
    first = frames[0]
    assert first is not None
    assert first.color is not None
    assert first.depth is not None
    assert abs(float(first.color.mean()) - 50) < 2
    assert 1400 < np.median(first.depth[first.depth > 0]) < 1700
    assert [one.acceleration_stamp_ns for one in first.motion] == [999_000_000, 999_600_000]
    assert first.up is not None
    assert first.up[1] < -0.95
    assert kinect.read(0.05) is None


def test_a_broken_picture_is_left_out_counts_as_lost_and_is_said_in_the_log(
    rig: Rig, camera: Make, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    kinect = camera(serial="111")
    kinect.open()
    broken = [capture(1_033_333), capture(1_066_667)]
    for one in broken:
        one.color = one.color[: len(one.color) // 2]
    rig.captures = [capture(1_000_000), *broken, capture(1_100_000)]
    indices = [frame.index for _ in range(2) if (frame := kinect.read(0.5)) is not None]
    assert indices == [0, 3]
    assert kinect.counters.lost == 2
    assert [record.getMessage() for record in caplog.records] == [
        "Kinect 42: a damaged picture is left out; is its cable sound?",
        "Kinect 42: whole pictures again, after 2 damaged",
    ]
    assert "JPEG" not in capfd.readouterr().err


def test_an_unplugged_device_is_lost_and_closing_it_is_quiet(rig: Rig, camera: Make) -> None:
    kinect = camera(serial="111")
    kinect.open()
    rig.gone = True
    with pytest.raises(DeviceLostError, match="Kinect 111: stopped answering"):
        kinect.read(0.1)
    kinect.close()
    rig.gone = False
    kinect.open()
    rig.captures = [capture(5_000)]
    assert kinect.read(0.5) is not None


def test_a_device_that_does_not_start_is_closed_again(rig: Rig, camera: Make) -> None:
    rig.gone = True
    with pytest.raises(DeviceNotFoundError, match="does not start"):
        camera(serial="111").open()
    assert rig.log[-1] == ("close", "111")


@pytest.mark.parametrize(
    ("sync", "jacks", "words"),
    [("primary", (True, False), "sync OUT"), ("subordinate", (False, True), "sync IN")],
)
def test_a_cable_that_contradicts_the_settings_is_said_at_start(
    rig: Rig, camera: Make, sync: str, jacks: tuple[bool, bool], words: str
) -> None:
    rig.jacks = jacks
    with pytest.raises(DriverOptionError, match=words):
        camera(serial="111", sync=sync).open()
    assert rig.log[-1] == ("close", "111")
    rig.jacks = (True, True)
    camera(serial="111", sync=sync).open()


def test_a_subordinate_is_delayed_and_told_so(rig: Rig, camera: Make) -> None:
    camera(serial="111", sync="subordinate", subordinate_delay_us=160).open()
    assert rig.configs[0].wired_sync_mode.name == "SUBORDINATE"
    assert rig.configs[0].subordinate_delay_off_master_usec == 160


def test_only_a_subordinate_has_a_delay() -> None:
    with pytest.raises(DriverOptionError, match="subordinate_delay_us"):
        driver_options("camera", {"driver": "kinect", "sync": "primary", "subordinate_delay_us": 160})


def test_the_primary_starts_last_since_its_start_is_the_trigger(camera: Make) -> None:
    primary, one, two = camera(sync="primary"), camera(sync="subordinate"), camera(sync="subordinate")
    assert list(start_order({"p": primary, "1": one, "2": two})) == ["1", "2", "p"]
    assert start_order({"alone": (alone := camera())}) == {"alone": alone}
    with pytest.raises(DriverOptionError, match='exactly one "primary", there are 0'):
        start_order({"1": one, "2": two})
    with pytest.raises(DriverOptionError, match="there are 2"):
        start_order({"p": primary, "q": camera(sync="primary")})
    with pytest.raises(DriverOptionError, match='others are "subordinate"'):
        start_order({"p": primary, "q": camera()})


def test_without_pyk4a_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, camera: Make) -> None:
    monkeypatch.setitem(sys.modules, "pyk4a", None)
    with pytest.raises(DeviceNotFoundError, match="install pyk4a-bundle"):
        camera().open()


def test_a_library_that_cannot_be_loaded_is_named(rig: Rig, camera: Make, tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"camera\.library: .*libk4a\.so cannot be loaded"):
        camera(library=tmp_path / "libk4a.so").open()


def test_the_named_library_is_used_in_place_of_pyk4as_own(tmp_path: Path) -> None:
    """The real pyk4a, and a library of one function that claims seven devices: as Orbbec's wrapper is loaded."""
    pytest.importorskip("pyk4a", reason="the maker's library is for x86-64 only")
    source, library = tmp_path / "k4a.c", tmp_path / "libk4a.so"
    source.write_text("unsigned k4a_device_get_installed_count(void) { return 7; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    script = (
        "import sys, pathlib\n"
        "from hal.camera.kinect_library import load_pyk4a\n"
        "print(load_pyk4a(pathlib.Path(sys.argv[1])).connected_device_count())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, library], capture_output=True, text=True, check=True)
    assert done.stdout == "7\n"
