"""Every driver there is, each with a bench to try it on: the one list behind the suite.

A driver joins by a function here that yields its `Bench`, and a row in `SOURCES` or `INDICATORS`. A real protocol is
spoken over a real line (`tools/simulate` on a pty or a socket), a replay reads a file that is made here or that a real
device wrote; a Kinect's library is given what a real one recorded.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from runpy import run_path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from hal.registry import DRIVERS, driver_class, driver_options

SIMULATE = Path(__file__).parents[2] / "tools" / "simulate"


@dataclass(frozen=True)
class Bench:
    """kind, settings: of the driver. rate_hz, sensors, kept_s: what it gives, and how much of it waits for a reader.

    mute: gives settings for a set whose sensor on the left arm falls silent half a second after the first data.
    lose, bring_back: cut and restore the real line, where there is one.
    """

    kind: str
    settings: dict[str, Any]
    rate_hz: float = 0.0
    sensors: int = 1
    kept_s: float = 0.0
    mute: Callable[[], dict[str, Any]] | None = None
    drops_itself: bool = True
    """Whether what nobody reads is dropped by the driver; else the maker's library does, and it counts as lost."""
    lose: Callable[[], None] | None = None
    bring_back: Callable[[], None] | None = None

    @property
    def live(self) -> bool:
        """Whether time passes for it while nobody reads; a file waits."""
        return self.kept_s > 0


class Simulator:
    """`tools/simulate`, which can be ended as by a pulled plug and started again at the same place."""

    def __init__(self, stack: ExitStack, *options: object) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        stack.callback(self.stop)

    def start(self, *more: object) -> str:
        command = [sys.executable, SIMULATE, *map(str, (*self._options, *more))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def synthetic_camera(request, folder, stack):
    return Bench("camera", {"driver": "synthetic", "rate_hz": 60.0, "loss": 0.0}, rate_hz=60.0, kept_s=1.0)


def synthetic_imu(request, folder, stack):
    settings = {"driver": "synthetic", "loss": 0.0}
    muted = settings | {"falls_silent_s": {"left_arm": 0.5}}
    return Bench("imu", settings, rate_hz=96.0, sensors=17, kept_s=1.0, mute=lambda: muted)


def video(request, folder, stack):
    """Twenty small pictures."""
    file = folder / "twenty.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            picture = np.full((48, 64, 3), 10 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return Bench("camera", {"driver": "video", "file": str(file)})


def image(request, folder, stack):
    file = folder / "grey.png"
    cv2.imwrite(str(file), np.full((48, 64, 3), 128, np.uint8))
    return Bench("camera", {"driver": "image", "file": str(file)})


def kinect_mkv(request, folder, stack):
    """Six pictures with depth and the sensor's samples; the fourth was lost."""
    rest, still = (0.0, -9.81, 0.0), (0.0, 0.0, 0.0)
    contents = {"COLOR": 100, "DEPTH": 1500, "IMU": (rest, still)}
    times = (0, 33, 67, 133, 167, 200)
    items = [(track, time_ms, content) for time_ms in times for track, content in contents.items()]
    return Bench("camera", {"driver": "kinect_mkv", "file": str(request.getfixturevalue("make_kinect_mkv")(items))})


_DROPOUT = ("--fault", "dropout:0.5,600")


def kinect(request, folder, stack):
    """The live driver and the real pyk4a, on what a real device recorded."""
    pytest.importorskip("pyk4a", reason="the maker's library is for x86-64 only")
    recorded_kinect = run_path(str(Path(__file__).with_name("recorded_kinect.py")))["RecordedKinect"]
    recording = request.getfixturevalue("data") / "azure-kinect" / "recording.mkv"
    device = recorded_kinect(recording, stack.enter_context(pytest.MonkeyPatch.context()))
    settings = {"driver": "kinect", "serial": device.serial}
    return Bench(
        "camera", settings, 30.0, kept_s=device.kept_s, drops_itself=False, lose=device.pull, bring_back=device.plug_in
    )


def xbus(request, folder, stack):
    link = folder / "imu"
    device = Simulator(stack, "xbus", "--sensors", 2, "--rate", 50, "--pty-link", link)
    device.start()
    settings = {
        "driver": "xbus", "port": str(link), "sensors": {"1": "left_arm", "2": "right_arm"}, "rate_hz": 50,
        "queue_s": 0.3,
    }  # fmt: skip

    def mute():
        device.stop()
        device.start(*_DROPOUT)
        return settings

    return Bench(
        "imu", settings, 50.0, sensors=2, kept_s=0.3, mute=mute, lose=device.stop, bring_back=device.start
    )  # fmt: skip


def noitom(request, folder, stack):
    device = Simulator(stack, "bvh")
    port = int(device.start("--port", 0).rsplit(":", 1)[1])
    settings = {"driver": "noitom", "port": port, "queue_s": 0.3}

    def mute():
        device.stop()
        device.start("--port", port, *_DROPOUT)
        return settings

    return Bench(
        "imu", settings, 96.0, sensors=17, kept_s=0.3, mute=mute, lose=device.stop,
        bring_back=lambda: device.start("--port", port),
    )  # fmt: skip


SOURCES = (synthetic_camera, video, image, kinect_mkv, kinect, synthetic_imu, xbus, noitom)
"""Cameras and sets of IMUs."""


def silent(request, folder, stack):
    return Bench("indicator", {"driver": "silent"})


def synthetic_indicator(request, folder, stack):
    return Bench("indicator", {"driver": "synthetic"})


def mock(request, folder, stack):
    return Bench("indicator", {"driver": "mock"})


def led(request, folder, stack):
    """A folder like the kernel's."""
    lamp = folder / "leds" / "lamp"
    lamp.mkdir(parents=True)
    for name, text in (("max_brightness", "255"), ("brightness", "0"), ("trigger", "[none] timer")):
        (lamp / name).write_text(text)

    def lose():
        lamp.rename(folder / "unplugged")

    def bring_back():
        (folder / "unplugged").rename(lamp)

    settings = {"driver": "led", "name": "lamp", "root": str(lamp.parent)}
    return Bench("indicator", settings, lose=lose, bring_back=bring_back)


def speaker(request, folder, stack):
    """ALSA's own null device: it takes every sound and plays none."""
    if shutil.which("aplay") is None:
        pytest.skip("needs aplay: apt install alsa-utils")
    return Bench("indicator", {"driver": "speaker", "device": "null"})


def combined(request, folder, stack):
    parts = [led(request, folder, stack).settings, {"driver": "mock"}]
    return Bench("indicator", {"driver": "combined", "parts": parts})


def mediapipe(request, folder, stack):
    return Bench("pose", {"driver": "mediapipe"})


def device(request, folder, stack):
    """The camera's own body tracking: nothing to open."""
    return Bench("pose", {"driver": "device"})


POSES = (mediapipe, device)
INDICATORS = (silent, synthetic_indicator, mock, led, speaker, combined)
IMU_SETS = (synthetic_imu, xbus, noitom)
LOSABLE = (kinect, xbus, noitom, led)
"""Those with something real to cut: a line, a folder. The others are made up, or files."""


def pytest_generate_tests(metafunc):
    for fixture, benches in (("source_bench", SOURCES), ("pose_bench", POSES), ("indicator_bench", INDICATORS)):
        if fixture in metafunc.fixturenames:
            if "lose" in metafunc.fixturenames:
                benches = tuple(bench for bench in benches if bench in LOSABLE)
            if "muted" in metafunc.fixturenames:
                benches = IMU_SETS
            metafunc.parametrize(fixture, benches, ids=lambda bench: bench.__name__, indirect=True)


@pytest.fixture
def conformance_names():
    """Kind and name of each driver in the lists; `test_buttons` takes every button that the registry has."""
    names = {"synthetic_camera": ("camera", "synthetic"), "synthetic_imu": ("imu", "synthetic"),
             "synthetic_indicator": ("indicator", "synthetic")}  # fmt: skip
    kinds = {"xbus": "imu", "noitom": "imu", "mediapipe": "pose", "device": "pose"}
    kinds |= {bench.__name__: "indicator" for bench in INDICATORS}
    return {
        names.get(bench.__name__, (kinds.get(bench.__name__, "camera"), bench.__name__))
        for bench in (*SOURCES, *POSES, *INDICATORS)
    } | {("button", name) for name in DRIVERS["button"]}


def _bench(request, tmp_path):
    with ExitStack() as stack:
        yield request.param(request, tmp_path, stack)


source_bench = pytest.fixture(_bench, name="source_bench")
pose_bench = pytest.fixture(_bench, name="pose_bench")
indicator_bench = pytest.fixture(_bench, name="indicator_bench")


@pytest.fixture
def lose(request):
    """Cuts the line of the driver under test; asking for it leaves out the drivers that have none."""
    return _given(request).lose


@pytest.fixture
def bring_back(request):
    """Restores that line."""
    return _given(request).bring_back


def _given(request):
    name = next(name for name in ("source_bench", "indicator_bench") if name in request.fixturenames)
    return request.getfixturevalue(name)


def build(bench):
    return driver_class(bench.kind, bench.settings["driver"])(driver_options(bench.kind, bench.settings))


@pytest.fixture
def source(source_bench):
    """The camera or set of IMUs, not open yet; closed afterwards."""
    driver = build(source_bench)
    yield driver
    driver.close()


@pytest.fixture
def muted(source_bench):
    """The set of IMUs, not open yet, one of whose sensors is about to fall silent; closed afterwards."""
    driver = build(replace(source_bench, settings=source_bench.mute()))
    yield driver
    driver.close()


@pytest.fixture
def pose(pose_bench):
    """The pose estimator, not open yet; closed afterwards."""
    driver = build(pose_bench)
    yield driver
    driver.close()


@pytest.fixture
def indicator(indicator_bench):
    """The indicator, not open yet; closed afterwards."""
    driver = build(indicator_bench)
    yield driver
    driver.close()
