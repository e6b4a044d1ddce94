"""An Azure Kinect's recordings, and the packets of the sensor built into it."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from breaking import broken, check_told
from hal.camera.jpeg import decode_jpeg
from hal.camera.kinect_calibration import parse_calibration
from hal.camera.kinect_frames import FrameMaker, KinectCapture
from hal.camera.kinect_mkv import KinectMkvCamera
from hal.camera.kinect_tracks import TrackReader, imu_records
from hal.errors import HalError, StreamEndedError

Feed = Callable[[], None]

av.logging.set_level(None)

_MODES = {"COLOR": "MJPG_720P", "DEPTH": "NFOV_2X2BINNED"}
_HEAD = b"\x1f\x43\xb6\x75"
"""How a cluster of packets begins (Matroska's ID of it)."""
_PICTURE = cv2.imencode(".jpg", np.full((720, 1280, 3), 90, np.uint8))[1].tobytes()
_REPLAYED = 0.005
"""Share of the inputs that the camera plays; each builds its lenses' tables anew, which takes longer than all else."""


def _calibration() -> str:
    """Straight lenses, and axes that are the camera's."""
    own = {"Rotation": [1, 0, 0, 0, 1, 0, 0, 0, 1], "Translation": [0, 0, 0]}
    lens = {"ModelType": "CALIBRATION_LensDistortionModelBrownConrady",
            "ModelParameters": [0.5, 0.5, 0.5, 0.6, *[0.0] * 10]}  # fmt: skip
    cameras = [{"Location": f"CALIBRATION_CameraLocation{name}", "Intrinsics": lens, "Rt": own}
               for name in ("D0", "PV0")]  # fmt: skip
    sensors = [{"SensorType": f"CALIBRATION_InertialSensorType_{name}", "Rt": own}
               for name in ("Accelerometer", "Gyro")]  # fmt: skip
    return json.dumps({"CalibrationInformation": {"Cameras": cameras, "InertialSensors": sensors}})


def _motion(time_ms: int) -> bytes:
    stamp_ns = 1_000_000 * time_ms
    return b"".join(struct.pack("<Q3fQ3f", stamp_ns + at, 0.0, -9.81, 0.1, stamp_ns + at, 0.0, 0.1, 0.0)
                    for at in range(0, 8_000_000, 2_000_000))  # fmt: skip


def _recording(file: Path, *, depth: bool) -> bytes:
    """Two pictures, each with depth if so wished and with four samples of the sensor."""
    with av.open(str(file), "w", format="matroska", options={"allow_raw_vfw": "1"}) as container:
        container.metadata.update({"K4A_START_OFFSET_NS": "0", "K4A_CALIBRATION_FILE": "calibration.json"})
        color = container.add_stream("mjpeg", rate=30)
        color.width, color.height, color.pix_fmt = 1280, 720, "yuvj420p"
        streams: dict[str, Any] = {"COLOR": color}
        if depth:
            streams["DEPTH"] = raw = container.add_stream("rawvideo", rate=30)
            raw.width, raw.height, raw.pix_fmt = 320, 288, "gray16be"
            raw.codec_context.codec_tag = "b16g"
        streams["IMU"] = container.add_mux_stream("subrip")
        for name, stream in streams.items():
            stream.metadata.update({"title": name, f"K4A_{name}_MODE": _MODES.get(name, "ON")})
        container.add_attachment("calibration.json", "application/octet-stream", _calibration().encode())
        for time_ms in (0, 33):
            contents = {
                "COLOR": _PICTURE,
                "DEPTH": np.full((288, 320), 1500, ">u2").tobytes(),
                "IMU": _motion(time_ms),
            }
            for name, stream in streams.items():
                packet = av.Packet(contents[name])
                packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 1000), True
                packet.pts = packet.dts = time_ms
                container.mux_one(packet)
    return file.read_bytes()


def _weak(whole: bytes) -> Iterator[tuple[int, int]]:
    """The head with its tracks, the calibration, the clusters' beginnings, and the sensor's packets."""
    yield 0, 600
    yield whole.index(b'{"CalibrationInformation'), whole.index(b'{"CalibrationInformation') + 1000
    for sign in (_HEAD, _motion(0), _motion(33)):
        yield whole.index(sign), whole.index(sign) + 60


def kinect_mkv(chance: random.Random) -> Feed:
    """Whole recordings, with depth and without, read to their end, now and then by the camera."""
    file = Path("kinect.mkv")
    whole = [_recording(file, depth=depth) for depth in (True, False)]
    weak = [list(_weak(data)) for data in whole]
    for data in whole:
        file.write_bytes(data)
        with suppress(StreamEndedError):
            _replay(file)  # what the lenses' tables take is no growth

    def feed() -> None:
        which = chance.randrange(2)
        file.write_bytes(broken(chance, whole[which], whole[1 - which], weak[which]))
        try:
            if chance.random() < _REPLAYED:
                _replay(file)
            else:
                _read_tracks(file)
        except StreamEndedError:
            pass
        except HalError as error:
            check_told(error, f"{file}: ")

    return feed


def _read_tracks(file: Path) -> None:
    reader = TrackReader(file)
    lenses = reader.calibration
    for capture in reader.captures():
        assert capture.depth is None or capture.depth.shape == (lenses.depth.height, lenses.depth.width)
        if capture.color == _PICTURE:  # unbroken: nothing new to decode
            continue
        picture = decode_jpeg(capture.color, lenses.color.width, lenses.color.height)
        assert picture is None or picture.shape == (lenses.color.height, lenses.color.width, 3)
    reader.close()


def _replay(file: Path) -> None:
    with closing(KinectMkvCamera(KinectMkvCamera.Options(file=file))) as camera:
        camera.open()
        stamp_ns = -1
        while (frame := camera.read(0.0)) is not None:
            assert frame.stamp_ns > stamp_ns
            assert all(np.isfinite(sample.acceleration).all() for sample in frame.motion)
            stamp_ns = frame.stamp_ns


def kinect_imu(chance: random.Random) -> Feed:
    """Packets of the sensor's track, one after another into one recording's idea of up."""
    maker = FrameMaker(parse_calibration(_calibration(), "NFOV_2X2BINNED", "720P"), 30.0)

    def feed() -> None:
        samples = imu_records(broken(chance, _motion(chance.randrange(1 << 40))))
        assert maker.frame(KinectCapture(0, b"", None, tuple(samples)), 0) is None

    return feed
