"""The whole way, with the real network: a real picture and rendered depth to a body in metres, or to the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from hal.camera.kinect_mkv import KinectMkvCamera
from hal.camera.video import VideoCamera
from hal.pose.blazepose import BlazePose
from hal.pose.landmarks import Landmarks
from hal.pose.mediapipe import MediaPipePose
from hal.pose.metric import UNCHECKED, levelling
from hal.types import Absent, Body, Frame

DISTANCE_M = 2.6
LEFT, RIGHT = 200, 720
"""Where in the 720p picture a photo begins."""


@pytest.fixture
def pose() -> Iterator[MediaPipePose]:
    driver = MediaPipePose(MediaPipePose.Options())
    driver.open()
    yield driver
    driver.close()


@pytest.fixture(scope="module")
def photo(data: Path) -> np.ndarray:
    """A real person who stands, 720 pixels high."""
    camera = VideoCamera(VideoCamera.Options(file=data / "video" / "squats.mp4"))
    camera.open()
    frame = camera.read(1.0)
    camera.close()
    assert frame is not None
    assert frame.color is not None
    return cv2.resize(frame.color, (405, 720), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def marks(photo: np.ndarray) -> Landmarks:
    """What the network finds in the photo."""
    network = BlazePose(0.5, 0.5, single=True)
    found = network.find(photo)
    network.close()
    assert found is not None
    return found


def shown(
    stage: Any, photo: np.ndarray, marks: Landmarks, at: list[int], *, flat: bool = False, stamp_ns: int = 0
) -> tuple[Frame, np.ndarray]:
    """The photo at these columns, and depth in which somebody with girth stands there (or all is one board).

    Also the joints (33, 3) of the first, metres, in the camera's axes.
    """
    scene = stage.straight(wall=DISTANCE_M if flat else DISTANCE_M + 1.5)
    color = np.full((720, 1280, 3), 127, np.uint8)
    bodies = []
    for column in at:
        color[:, column : column + photo.shape[1]] = photo
        rays = (marks.pixels + np.array([column, 0]) - scene.lens.centre) / scene.lens.focal
        bodies.append(np.column_stack([rays, np.ones(33)]) * (DISTANCE_M + marks.metric[:, 2:]))
        if not flat:
            scene.add_person(stage.figure(bodies[-1]), first=len(bodies) == 1)
    depth = scene.sensed(np.random.default_rng(31))
    return Frame(0, stamp_ns, stamp_ns, color, depth, lens=scene.lens, up=np.array([0.0, -1.0, 0.0])), bodies[0]


def test_a_person_in_depth_is_measured(stage: Any, pose: MediaPipePose, photo: np.ndarray, marks: Landmarks) -> None:
    frame, truth = shown(stage, photo, marks, [LEFT])
    body = pose.estimate(frame)
    assert isinstance(body, Body)
    assert body.notes == ()
    limbs = [11, 12, 13, 14, 23, 24, 25, 26]
    assert np.nanmedian(np.linalg.norm(body.positions - truth, axis=1)[limbs]) < 0.06
    assert (np.isnan(body.positions).all(axis=1) == (body.confidence == 0)).all()


def test_the_same_picture_on_a_flat_board_is_refused(
    stage: Any, pose: MediaPipePose, photo: np.ndarray, marks: Landmarks
) -> None:
    refused = pose.estimate(shown(stage, photo, marks, [LEFT], flat=True)[0])
    assert isinstance(refused, Absent)
    assert refused.reason == "not_a_body"


def test_two_people_are_said_and_one_of_them_alone_is_not(
    stage: Any, pose: MediaPipePose, photo: np.ndarray, marks: Landmarks
) -> None:
    both, _ = shown(stage, photo, marks, [LEFT, RIGHT])
    refused = pose.estimate(both)
    assert isinstance(refused, Absent)
    assert refused.reason == "two_people"
    for second in (1, 2):  # the network may have followed the one who is gone; it finds the other in the next frame
        alone = pose.estimate(shown(stage, photo, marks, [LEFT], stamp_ns=second * 1_000_000_000)[0])
    assert isinstance(alone, Body)


def test_a_person_beside_a_poster_is_alone_and_measured_though_the_network_looks_at_the_poster(
    stage: Any, pose: MediaPipePose, photo: np.ndarray, marks: Landmarks
) -> None:
    frame, truth = shown(stage, photo, marks, [LEFT])
    assert frame.color is not None
    frame.color[:, RIGHT : RIGHT + photo.shape[1]] = photo
    body = pose.estimate(frame)
    assert isinstance(body, Body)
    assert np.nanmedian(np.linalg.norm(body.positions - truth, axis=1)) < 0.1


def test_without_depth_a_body_says_what_was_not_checked(pose: MediaPipePose, photo: np.ndarray) -> None:
    body = pose.estimate(Frame(0, 0, 0, photo))
    assert isinstance(body, Body)
    assert body.notes == (UNCHECKED,)


def test_a_frame_that_lost_its_depth_is_not_mixed_with_measured_ones(
    stage: Any, pose: MediaPipePose, photo: np.ndarray, marks: Landmarks
) -> None:
    frame, _ = shown(stage, photo, marks, [LEFT])
    assert isinstance(pose.estimate(frame), Body)
    blind = pose.estimate(replace(frame, depth=None, stamp_ns=33_000_000))
    assert isinstance(blind, Absent)
    assert blind.reason == "too_little_depth"


def test_the_print_on_a_real_mug_is_no_patient(data: Path, pose: MediaPipePose) -> None:
    """The network sees 33 landmarks on it; the recording is a real Azure Kinect's."""
    camera = KinectMkvCamera(KinectMkvCamera.Options(file=data / "azure-kinect" / "recording.mkv"))
    camera.open()
    frame = camera.read(1.0)
    camera.close()
    assert frame is not None
    assert isinstance(pose.estimate(replace(frame, depth=None)), Body)
    refused = pose.estimate(frame)
    assert isinstance(refused, Absent)
    assert refused.reason == "not_a_body"
    assert "size" in refused.detail


@pytest.mark.parametrize("tilt", [(0.0, 0.0), (0.4, 0.0), (-0.3, 0.2), (1.2, -0.5), (np.pi, 0.0)])
def test_levelling_makes_y_vertical_and_is_a_rotation(tilt: tuple[float, float]) -> None:
    pitch, roll = tilt
    up = np.array([np.sin(roll), -np.cos(pitch) * np.cos(roll), np.sin(pitch) * np.cos(roll)])
    turn = levelling(up)
    np.testing.assert_allclose(turn @ up, [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
