"""Fixtures that every folder of tests shares."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from runpy import run_path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from appliance.cli import main
from appliance.hospital.throwaway import ThrowawayBroker
from hal.camera.synthetic import SyntheticCamera, pose_of

SERVERS = Path(__file__).parent / "servers"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings, which are not part of the project."""
    folder = os.environ.get("REHABBOX_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    return Path(folder)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `rehabbox` with these arguments here, without the second that a process of its own takes to begin.

    Not for `rehabbox run`, which sets its process's umask and more.
    """

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = ["rehabbox", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", words)
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return subprocess.CompletedProcess(words, left.value.code, *capfd.readouterr())

    return run


@pytest.fixture
def calibrate_synthetic(tmp_path: Path) -> Callable[..., Path]:
    """Writes the calibration of two synthetic cameras, `Options` each. since_deg: how far the second tilted since."""

    def write(first: SyntheticCamera.Options, second: SyntheticCamera.Options, since_deg: float = 0.0) -> Path:
        placed = []
        for options, tilt_deg in ((first, first.tilt_deg), (second, second.tilt_deg - since_deg)):
            placed.append(pose_of(options.bearing_deg, tilt_deg, options.distance_m, options.height_m))
        (axes_a, place_a), (axes_b, place_b) = placed
        camera = {"serial": "", "width": 1280, "height": 720, "lens_sha256": "0" * 64, "floor": None}
        file = tmp_path / "cameras.json"
        file.write_text(
            json.dumps(
                {
                    "schema_version": 1,
                    "date": "2026-11-01T09:00:00Z",
                    "a": camera | {"up": axes_a[:, 1].tolist()},
                    "b": camera | {"up": axes_b[:, 1].tolist()},
                    "rotation": (axes_a @ axes_b.T).tolist(),
                    "translation_m": (axes_a @ (place_b - place_a)).tolist(),
                    "reprojection_px": 0.2,
                    "board": {"squares": [13, 8], "square_mm": 60.0},
                    "pictures": ["01.png"],
                    "rejected": [],
                }
            )
        )
        return file

    return write


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ThrowawayBroker]:
    """A real mosquitto of this test's own, listening; `broker.settings_for("box-1")` is how to reach it."""
    with ThrowawayBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def est_server(tmp_path: Path) -> Iterator[Any]:
    """An EST server of this test's own, written from RFC 7030, running; see tests/servers/est.py."""
    with run_path(str(SERVERS / "est.py"))["EstTestServer"](tmp_path / "est") as running:
        yield running


@pytest.fixture
def proxy_to() -> Iterator[Callable[..., Any]]:
    """Starts an outbound proxy that connects to these ports only; see tests/servers/connect_proxy.py."""
    with ExitStack() as stack:
        kind = run_path(str(SERVERS / "connect_proxy.py"))["ConnectProxy"]
        yield lambda *ports: stack.enter_context(kind(set(ports)))


def _camera(location: str, parameters: Sequence[float], rotation: Sequence[float], translation: Sequence[float]) -> Any:
    return {
        "Location": f"CALIBRATION_CameraLocation{location}",
        "Intrinsics": {"ModelType": "CALIBRATION_LensDistortionModelBrownConrady", "ModelParameters": list(parameters)},
        "Rt": {"Rotation": list(rotation), "Translation": list(translation)},
    }


@pytest.fixture
def kinect_calibration() -> dict[str, Any]:
    """A made-up device: bent lenses, the colour camera 3 cm beside the depth camera and turned by 5 degrees."""
    turned = [1.0, 0.0, 0.0, 0.0, 0.9962, 0.08716, 0.0, -0.08716, 0.9962]
    upright = [0.0, 0.1, -0.995, -1.0, 0.0, 0.0, 0.0, 0.995, 0.1]
    sensors = [
        {"SensorType": f"CALIBRATION_InertialSensorType_{kind}", "Rt": {"Rotation": upright, "Translation": [0.0] * 3}}
        for kind in ("Accelerometer", "Gyro")
    ]
    strong = (0.5, -0.02, -0.003, 0.85, 0.08, -0.013, 0.0, 0.0, -7e-5, 2e-5)
    slight = (0.3, -2.4, 1.4, 0.2, -2.2, 1.3, 0.0, 0.0, -1e-4, -2e-4)
    cameras = [
        _camera("D0", (0.51, 0.52, 0.493, 0.493, *strong), [1, 0, 0, 0, 1, 0, 0, 0, 1], [0.0] * 3),
        _camera("PV0", (0.5, 0.506, 0.478, 0.637, *slight), turned, [-0.032, -0.002, 0.004]),
    ]
    return {"CalibrationInformation": {"Cameras": cameras, "InertialSensors": sensors, "Metadata": {"SerialId": "42"}}}


@pytest.fixture
def make_kinect_mkv(tmp_path: Path, kinect_calibration: dict[str, Any]) -> Callable[..., Path]:
    """Writes a recording as the Kinect's recorder lays it out, from items (track, time in ms, content).

    COLOR: a grey level; DEPTH: mm everywhere; IMU: (acceleration, rate of turn). `tags` replace the file's own.
    """

    def make(items: Sequence[tuple[str, int, Any]], name: str = "kinect.mkv", **tags: str) -> Path:
        file = tmp_path / name
        with av.open(str(file), "w", format="matroska", options={"allow_raw_vfw": "1"}) as container:
            known = {"K4A_START_OFFSET_NS": "500000000", "K4A_CALIBRATION_FILE": "calibration.json"}
            container.metadata.update(known | tags)
            color = container.add_stream("mjpeg", rate=30)
            color.width, color.height, color.pix_fmt = 1280, 720, "yuvj420p"
            color.metadata.update({"title": "COLOR", "K4A_COLOR_MODE": "MJPG_720P"})
            depth = container.add_stream("rawvideo", rate=30)
            depth.width, depth.height, depth.pix_fmt = 640, 576, "gray16be"
            depth.codec_context.codec_tag = "b16g"
            depth.metadata.update({"title": "DEPTH", "K4A_DEPTH_MODE": "NFOV_UNBINNED"})
            imu = container.add_mux_stream("subrip")
            imu.metadata.update({"title": "IMU"})
            container.add_attachment(
                "calibration.json", "application/octet-stream", json.dumps(kinect_calibration).encode()
            )
            for track, time_ms, content in items:
                stream = {"COLOR": color, "DEPTH": depth, "IMU": imu}[track]
                packet = av.Packet(_content(track, time_ms, content))
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
                packet.pts = packet.dts = time_ms
                container.mux_one(packet)
        return file

    return make


def _content(track: str, time_ms: int, content: Any) -> bytes:
    if track == "COLOR":
        return bytes(cv2.imencode(".jpg", np.full((720, 1280, 3), content, np.uint8))[1])
    if track == "DEPTH":
        return np.full((576, 640), content, ">u2").tobytes()
    acceleration, turn = content
    stamp_ns = 500_000_000 + time_ms * 1_000_000
    return struct.pack("<Q3fQ3f", stamp_ns, *acceleration, stamp_ns, *turn)
