"""Depth lands on the colour picture's pixels where the calibration says, the nearer surface in front."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hal.camera.depth_mapping import DepthMapper
from hal.camera.kinect_calibration import KinectCalibration, parse_calibration
from hal.camera.lens import project, rays


@pytest.fixture
def calibration(kinect_calibration: dict[str, Any]) -> KinectCalibration:
    return parse_calibration(json.dumps(kinect_calibration), "NFOV_UNBINNED", "720P")


def expected(calibration: KinectCalibration, row: int, column: int, away_mm: float) -> tuple[np.ndarray, float]:
    """Pixel and distance of one depth pixel in the colour camera, by the plain formulas."""
    ray = rays(calibration.depth, np.array([column, row], float))
    point = calibration.rotation @ (np.array([*ray, 1.0]) * away_mm / 1000) + calibration.translation
    return project(calibration.color, point), point[2] * 1000


def test_every_pixel_lands_where_the_formulas_say(calibration: KinectCalibration) -> None:
    mapper = DepthMapper(calibration)
    rng = np.random.default_rng(3)
    checked = 0
    for _ in range(60):
        row, column, away = int(rng.integers(576)), int(rng.integers(640)), int(rng.integers(400, 5000))
        depth = np.zeros((576, 640), np.uint16)
        depth[row, column] = away
        mapped = mapper.map(depth)
        pixel, distance = expected(calibration, row, column, away)
        if not (1 < pixel[0] < 1278 and 1 < pixel[1] < 718):
            continue
        rows, columns = np.nonzero(mapped)
        assert len(rows) == 4
        assert np.abs(columns - pixel[0]).max() <= 1.01
        assert np.abs(rows - pixel[1]).max() <= 1.01
        assert np.abs(mapped[rows, columns] - distance).max() <= 1
        checked += 1
    assert checked > 20


def test_a_wall_has_no_cracks(calibration: KinectCalibration) -> None:
    mapped = DepthMapper(calibration).map(np.full((576, 640), 2500, np.uint16))
    assert (mapped[150:570, 450:850] > 0).all()


def test_the_nearer_of_two_surfaces_on_one_pixel_wins(calibration: KinectCalibration) -> None:
    """A strip at 1 m hides the wall behind it also where parallax puts both on the same pixel."""
    depth = np.full((576, 640), 3000, np.uint16)
    depth[:, 300:340] = 1000
    mapped = DepthMapper(calibration).map(depth)
    left, _ = expected(calibration, 288, 302, 1000)
    right, _ = expected(calibration, 288, 337, 1000)
    strip = mapped[round(left[1]), round(left[0]) : round(right[0])]
    assert (strip < 1200).all()
    assert (strip > 0).all()


def test_what_only_the_colour_camera_sees_stays_unknown(calibration: KinectCalibration) -> None:
    depth = np.full((576, 640), 3000, np.uint16)
    depth[:, 300:340] = 1000
    mapped = DepthMapper(calibration).map(depth)
    row = round(float(expected(calibration, 288, 320, 1000)[0][1]))
    shadow = mapped[row, 400:900] == 0
    # The cameras are 32 mm apart: the strip's shadow on the wall is 32 mm * f * (1 / 1 m - 1 / 3 m) wide.
    wide = 0.032 * calibration.color.focal[0] * (1 - 1 / 3)
    assert shadow.sum() == pytest.approx(wide, abs=3)


def test_unknown_depth_stays_unknown_and_the_input_untouched(calibration: KinectCalibration) -> None:
    depth = np.zeros((576, 640), np.uint16)
    assert not DepthMapper(calibration).map(depth).any()
    depth[:] = 65535
    DepthMapper(calibration).map(depth)
    assert (depth == 65535).all()


def test_another_size_is_refused(calibration: KinectCalibration) -> None:
    with pytest.raises(ValueError, match=r"\(576, 640\)"):
        DepthMapper(calibration).map(np.zeros((288, 320), np.uint16))


def test_the_wide_mode_does_not_fold_back_into_the_picture(kinect_calibration: dict[str, Any]) -> None:
    """Rays far outside the colour picture must not be drawn in it, where the lens polynomial would put them."""
    wide = parse_calibration(json.dumps(kinect_calibration), "WFOV_2X2BINNED", "720P")
    depth = np.zeros((512, 512), np.uint16)
    depth[:30] = depth[-30:] = 1500
    depth[:, :30] = depth[:, -30:] = 1500
    assert not DepthMapper(wide).map(depth).any()


def test_a_camera_opened_again_has_its_lens_tables_at_once_and_another_camera_its_own(
    calibration: KinectCalibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth = np.full((576, 640), 2500, np.uint16)
    first = DepthMapper(calibration).map(depth)
    turned = replace(calibration, rotation=np.eye(3))
    assert not np.array_equal(DepthMapper(turned).map(depth), first)
    monkeypatch.setattr("hal.camera.depth_mapping.rays", None)
    np.testing.assert_array_equal(DepthMapper(calibration).map(depth), first)


def test_mapping_keeps_up_with_the_camera(calibration: KinectCalibration) -> None:
    """30 frames a second leave 33 ms; the budget proper (with the lift 3 ms) is the bench's."""
    mapper = DepthMapper(calibration)
    depth = np.full((576, 640), 2500, np.uint16)
    mapper.map(depth)
    spent = []
    for _ in range(20):
        start = time.thread_time()
        mapper.map(depth)
        spent.append(time.thread_time() - start)
    assert np.median(spent) < 0.010
