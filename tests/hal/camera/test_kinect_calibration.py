"""The factory calibration means what the maker's library makes of it, and a damaged one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hal.camera.kinect_calibration import parse_calibration
from hal.camera.lens import project, rays

Change = Callable[[dict[str, Any]], object]


def test_the_makers_library_agrees_on_lenses_and_places(data: Path) -> None:
    """Points all over both views, against the Azure Kinect SDK."""
    pyk4a = pytest.importorskip("pyk4a", reason="the maker's library is for x86-64 only")
    folder = data / "azure-kinect"
    with pyk4a.PyK4APlayback(folder / "recording.mkv") as playback:
        theirs = playback.calibration
        ours = parse_calibration((folder / "calibration.json").read_text(), "NFOV_UNBINNED", "720P")
        rng = np.random.default_rng(1)
        compared = 0
        for _ in range(300):
            point = rng.uniform((-0.6, -0.5, 1), (0.6, 0.5, 1)) * rng.uniform(400, 4000)
            for camera, lens in ((pyk4a.CalibrationType.DEPTH, ours.depth), (pyk4a.CalibrationType.COLOR, ours.color)):
                try:
                    pixel = theirs.convert_3d_to_2d(tuple(point), camera)
                except ValueError:
                    continue
                if 0 <= pixel[0] < lens.width and 0 <= pixel[1] < lens.height:
                    np.testing.assert_allclose(project(lens, point), pixel, atol=0.01)
                    compared += 1
            moved = ours.rotation @ point + ours.translation * 1000
            np.testing.assert_allclose(moved, theirs.depth_to_color_3d(tuple(point)), atol=0.01)
        turn = theirs.get_extrinsic_parameters(pyk4a.CalibrationType.ACCEL, pyk4a.CalibrationType.COLOR)[0]
        np.testing.assert_allclose(ours.accelerometer, turn, atol=1e-5)
    assert compared > 300


def test_rays_undo_the_lens_which_opencv_bends_alike(kinect_calibration: dict[str, Any]) -> None:
    lens = parse_calibration(json.dumps(kinect_calibration), "NFOV_UNBINNED", "720P").color
    rng = np.random.default_rng(2)
    points = rng.uniform((-0.8, -0.45, 1), (0.8, 0.45, 1), (200, 3)) * rng.uniform(0.5, 4, (200, 1))
    pixels = project(lens, points)
    matrix = np.array([[lens.focal[0], 0, lens.centre[0]], [0, lens.focal[1], lens.centre[1]], [0, 0, 1]])
    theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, np.array(lens.distortion))
    np.testing.assert_allclose(pixels, theirs[:, 0], atol=1e-6)
    np.testing.assert_allclose(rays(lens, pixels), points[:, :2] / points[:, 2:], atol=1e-9)


def test_what_is_behind_the_camera_has_no_pixel(kinect_calibration: dict[str, Any]) -> None:
    lens = parse_calibration(json.dumps(kinect_calibration), "NFOV_UNBINNED", "720P").color
    assert np.isnan(project(lens, np.array([0.1, 0.1, -1.0]))).all()


@pytest.mark.parametrize(
    ("depth", "size"), [("NFOV_UNBINNED", (640, 576)), ("NFOV_2X2BINNED", (320, 288)), ("WFOV_UNBINNED", (1024, 1024))]
)
def test_a_depth_mode_is_a_part_of_the_sensor(kinect_calibration: dict[str, Any], depth: str, size: Any) -> None:
    """The same ray falls on the same place of the sensor in every mode."""
    text = json.dumps(kinect_calibration)
    whole = parse_calibration(text, "WFOV_UNBINNED", "720P").depth
    lens = parse_calibration(text, depth, "720P").depth
    assert (lens.width, lens.height) == size
    scale = 2 if "2X2" in depth else 1
    first = {"NFOV": (192, 180), "WFOV": (0, 0)}[depth[:4]]
    ray = np.array([0.1, -0.2, 1.0])
    np.testing.assert_allclose((project(lens, ray) + 0.5) * scale + first, project(whole, ray) + 0.5, atol=1e-9)


@pytest.mark.parametrize(
    "change",
    [
        lambda info: info["Cameras"].pop(),
        lambda info: info["Cameras"][0]["Intrinsics"]["ModelParameters"].pop(),
        lambda info: info["Cameras"][0]["Intrinsics"].update(ModelType="CALIBRATION_LensDistortionModelTheta"),
        lambda info: info["Cameras"][1]["Intrinsics"]["ModelParameters"].__setitem__(2, 0.0),
        lambda info: info["Cameras"][1]["Rt"].update(Rotation=[0.0] * 9),
        lambda info: info["Cameras"][1]["Rt"].update(Translation=[float("nan")] * 3),
        lambda info: info["InertialSensors"].clear(),
        lambda info: info.update(Cameras="none"),
    ],
)
def test_a_damaged_calibration_is_refused(kinect_calibration: dict[str, Any], change: Change) -> None:
    change(kinect_calibration["CalibrationInformation"])
    with pytest.raises(ValueError, match="calibration"):
        parse_calibration(json.dumps(kinect_calibration), "NFOV_UNBINNED", "720P")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "\x00", b"\xff\xfe", "[" * 100_000])
def test_no_calibration_at_all_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="calibration"):
        parse_calibration(text, "NFOV_UNBINNED", "720P")


def test_modes_without_a_picture_are_named(kinect_calibration: dict[str, Any]) -> None:
    text = json.dumps(kinect_calibration)
    with pytest.raises(ValueError, match="PASSIVE_IR"):
        parse_calibration(text, "PASSIVE_IR", "720P")
    with pytest.raises(ValueError, match="480P"):
        parse_calibration(text, "NFOV_UNBINNED", "480P")
