"""The pose network on real pictures: 33 joints in the scene, the same every time, and nobody where nobody is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hal.camera.image import ImageCamera
from hal.camera.video import VideoCamera
from hal.errors import StreamEndedError
from hal.pose.mediapipe import MediaPipePose
from hal.types import Absent, Body, Frame

LEFT_HIP, RIGHT_HIP, LEFT_ANKLE, RIGHT_ANKLE = 23, 24, 27, 28


@pytest.fixture
def pose() -> Iterator[MediaPipePose]:
    driver = MediaPipePose(MediaPipePose.Options())
    driver.open()
    yield driver
    driver.close()


def picture(data: Path) -> Frame:
    camera = ImageCamera(ImageCamera.Options(file=data / "video" / "standing.jpg"))
    camera.open()
    frame = camera.read(1.0)
    assert frame is not None
    return frame


def bodies(pose: MediaPipePose, video: Path, frames: int) -> list[Body | Absent]:
    camera = VideoCamera(VideoCamera.Options(file=video))
    camera.open()
    found = []
    try:
        while len(found) < frames:
            frame = camera.read(1.0)
            assert frame is not None
            found.append(pose.estimate(frame))
    except StreamEndedError:
        pass
    camera.close()
    return found


def test_a_person_is_33_joints_in_metres(data: Path, pose: MediaPipePose) -> None:
    body = pose.estimate(picture(data))
    assert isinstance(body, Body)
    assert body.layout == "mediapipe_33"
    assert not body.planar
    assert body.positions.shape == (33, 3)
    shoulders = np.linalg.norm(body.positions[11] - body.positions[12])
    assert 0.2 < shoulders < 0.5
    assert (np.isnan(body.positions).all(axis=1) == (body.confidence == 0)).all()


def test_a_joint_outside_the_picture_is_not_seen(data: Path, pose: MediaPipePose) -> None:
    whole = picture(data)
    assert whole.color is not None
    body = pose.estimate(Frame(0, 0, 0, np.ascontiguousarray(whole.color[: whole.color.shape[0] // 2])))
    assert isinstance(body, Body)
    assert np.isnan(body.positions[[LEFT_ANKLE, RIGHT_ANKLE]]).all()
    assert (body.confidence[[LEFT_ANKLE, RIGHT_ANKLE]] == 0).all()
    assert np.isfinite(body.positions[[11, 12]]).all()


@pytest.mark.parametrize("color", [None, np.zeros((240, 320, 3), np.uint8)])
def test_no_picture_and_an_empty_picture_hold_nobody(pose: MediaPipePose, color: np.ndarray | None) -> None:
    absent = pose.estimate(Frame(0, 0, 0, color))
    assert isinstance(absent, Absent)
    assert absent.reason == "no_person"


def test_in_a_squat_the_hips_go_down_and_the_feet_stay(data: Path, pose: MediaPipePose) -> None:
    """Standing feet are the ground truth for where the skeleton was put: y is down."""
    found = bodies(pose, data / "video" / "squats.mp4", 15)
    at = np.array([body.positions for body in found if isinstance(body, Body)])
    hips = (at[:, LEFT_HIP] + at[:, RIGHT_HIP]) / 2
    ankles = (at[:, LEFT_ANKLE] + at[:, RIGHT_ANKLE]) / 2
    assert np.ptp(hips[:, 1]) > 0.25
    assert np.nanstd(ankles[:, 1]) < 0.04


def test_the_same_video_gives_the_same_joints_after_opening_again(data: Path, pose: MediaPipePose) -> None:
    video = data / "video" / "squats.mp4"
    once = bodies(pose, video, 4)
    pose.open()
    for one, other in zip(once, bodies(pose, video, 4), strict=True):
        assert isinstance(one, Body)
        assert isinstance(other, Body)
        np.testing.assert_array_equal(one.positions, other.positions)


def test_the_network_does_not_chatter(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    driver = MediaPipePose(MediaPipePose.Options())
    driver.open()
    frame = picture(data)
    driver.estimate(frame)
    driver.estimate(frame)
    driver.close()
    driver.close()
    assert capfd.readouterr().err == ""
