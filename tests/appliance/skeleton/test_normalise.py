"""Place, heading and size are taken out, each as the root asks."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.skeleton.normalise import normalise
from appliance.skeleton.standard import INDEX

RATE = 30.0


def standing(frames: int = 60, yaw_deg: float = 0.0, roll_deg: float = 0.0) -> NDArray[np.float64]:
    """Somebody with a trunk of 0.5 m and shoulders of 0.4 m, at (1, 2, 3), turned about y, tipped about z."""
    body = np.zeros((17, 3))
    body[INDEX["thorax"]] = (0, 0.5, 0)
    body[INDEX["left_shoulder"]], body[INDEX["right_shoulder"]] = (0.2, 0.45, 0), (-0.2, 0.45, 0)
    body[INDEX["left_hip"]], body[INDEX["right_hip"]] = (0.1, -0.05, 0), (-0.1, -0.05, 0)
    body[INDEX["left_knee"]] = (0.1, -0.5, 0.3)
    yaw, roll = np.radians(yaw_deg), np.radians(roll_deg)
    tip = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return np.repeat((body @ tip.T @ turn.T + (1.0, 2.0, 3.0))[None], frames, axis=0)


@pytest.mark.parametrize("yaw_deg", [0.0, 30.0, 90.0, 179.0, -120.0])
def test_everybody_faces_the_camera_at_the_origin_with_a_trunk_of_one(yaw_deg: float) -> None:
    found = normalise(standing(yaw_deg=yaw_deg), RATE, "pelvis")
    expected = (standing() - (1, 2, 3)) / 0.5
    assert found.positions == pytest.approx(expected)
    assert found.positions[0, INDEX["left_hip"]] - found.positions[0, INDEX["right_hip"]] == pytest.approx([0.4, 0, 0])
    assert not found.notes


def test_the_root_thorax_is_placed_and_measured_by_thorax_and_shoulders() -> None:
    found = normalise(standing(yaw_deg=70), RATE, "thorax")
    assert found.positions == pytest.approx((standing() - (1, 2.5, 3)) / 0.4)


def test_the_root_thorax_is_turned_by_the_shoulders_though_the_hips_are_seen() -> None:
    twisted = standing()
    twisted[:, INDEX["left_hip"]], twisted[:, INDEX["right_hip"]] = (1, 1.95, 2.9), (1, 1.95, 3.1)
    found = normalise(twisted, RATE, "thorax").positions[0]
    assert found[INDEX["left_shoulder"]] - found[INDEX["right_shoulder"]] == pytest.approx([1, 0, 0])


def test_pelvis_and_thorax_are_subtracted_in_every_frame_and_start_once() -> None:
    travelling = standing() + np.linspace(0, 1, 60)[:, None, None] * (0, 1.0, 0)
    assert normalise(travelling, RATE, "pelvis").positions[:, 0] == pytest.approx(0)
    assert normalise(travelling, RATE, "thorax").positions[:, INDEX["thorax"]] == pytest.approx(0)
    height = normalise(travelling, RATE, "start").positions[:, 0, 1]
    median_of_the_first_second = np.median(travelling[:30, 0, 1])
    assert height == pytest.approx((travelling[:, 0, 1] - median_of_the_first_second) / 0.5)


def test_only_the_first_second_tells_the_heading() -> None:
    turning = np.concatenate([standing(30, yaw_deg=40), standing(90, yaw_deg=100)])
    found = normalise(turning, RATE, "pelvis").positions
    hips = found[:, INDEX["left_hip"]] - found[:, INDEX["right_hip"]]
    assert hips[0] == pytest.approx([0.4, 0, 0])
    assert hips[-1] == pytest.approx([0.4 * np.cos(np.radians(60)), 0, -0.4 * np.sin(np.radians(60))])


def test_hidden_hips_leave_the_heading_to_the_shoulders() -> None:
    seated = standing(yaw_deg=50)
    seated[:, [INDEX["left_hip"], INDEX["right_hip"]]] = np.nan
    found = normalise(seated, RATE, "pelvis")
    shoulders = found.positions[0, INDEX["left_shoulder"]] - found.positions[0, INDEX["right_shoulder"]]
    assert shoulders == pytest.approx([0.8, 0, 0])
    assert not found.notes


@pytest.mark.parametrize(("roll_deg", "turned"), [(90.0, False), (62.0, False), (58.0, True), (-85.0, False)])
def test_lying_on_the_side_nobody_is_turned_and_it_is_said(roll_deg: float, turned: bool) -> None:
    found = normalise(standing(yaw_deg=30, roll_deg=roll_deg), RATE, "pelvis")
    assert (found.notes == ()) is turned
    if not turned:
        assert "hips' axis is nearly vertical" in found.notes[0]
        assert found.positions == pytest.approx((standing(yaw_deg=30, roll_deg=roll_deg) - (1, 2, 3)) / 0.5)


def test_without_hips_and_shoulders_nobody_is_turned_and_it_is_said() -> None:
    hidden = standing(yaw_deg=30)
    hidden[:, [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("hip", "shoulder")]] = np.nan
    assert "neither hips nor shoulders" in normalise(hidden, RATE, "pelvis").notes[0]


def test_two_dimensional_positions_are_not_turned() -> None:
    flat = standing(yaw_deg=180) * (1, 1, 0)
    found = normalise(flat, RATE, "pelvis", planar=True)
    assert found.positions == pytest.approx((flat - (1, 2, 0)) / 0.5)
    assert "two-dimensional" in found.notes[0]


def test_the_size_is_the_median_of_the_frames_that_show_it() -> None:
    flickering = standing(90)
    flickering[60:, INDEX["thorax"]] = np.nan
    flickering[:10] = (flickering[:10] - (1, 2, 3)) * 5 + (1, 2, 3)
    found = normalise(flickering, RATE, "pelvis").positions
    assert np.linalg.norm(found[30, INDEX["thorax"]]) == pytest.approx(1.0)


def test_an_unknown_size_or_start_is_refused() -> None:
    trunkless = standing()
    trunkless[:, INDEX["thorax"]] = np.nan
    with pytest.raises(NotScorableError, match="pelvis and thorax are never seen apart"):
        normalise(trunkless, RATE, "pelvis")
    with pytest.raises(NotScorableError, match="never seen apart"):
        normalise(np.ones((40, 17, 3)), RATE, "pelvis")
    late = standing(90)
    late[:30, INDEX["pelvis"]] = np.nan
    with pytest.raises(NotScorableError, match="not seen in the first second"):
        normalise(late, RATE, "start")
