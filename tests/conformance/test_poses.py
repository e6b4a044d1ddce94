"""What every pose estimator keeps to: each frame gets one answer, whatever is in it. The drivers: `conftest.py`."""

import gc
import os
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hal.errors import DriverOptionError, HalError
from hal.registry import build_camera, driver_options
from hal.types import Absent, AbsentReason, Body, Frame, Lens

LENS = Lens(64, 48, (60.0, 60.0), (31.5, 23.5))
UP = np.array([0.0, -1.0, 0.0])


@pytest.fixture(scope="module")
def frames():
    """Joints without a picture, as the synthetic camera has them; a picture of nobody; both with worthless depth."""
    camera = build_camera({"driver": "synthetic", "loss": 0.0, "rate_hz": 100.0})
    camera.open()
    bodies = [frame for _ in range(6) if (frame := camera.read(1.0)) is not None]
    camera.close()
    nobody = Frame(0, 0, 0, np.full((48, 64, 3), 127, np.uint8), lens=LENS, up=UP)
    noise = np.random.default_rng(1).integers(0, 65536, (48, 64)).astype(np.uint16)
    pictures = [nobody, replace(nobody, depth=np.zeros((48, 64), np.uint16)), replace(nobody, depth=noise, up=None)]
    return [
        replace(frame, index=index, stamp_ns=index * 33_000_000) for index, frame in enumerate([*bodies, *pictures])
    ]


@pytest.fixture
def photos(data):
    """A real person, without depth."""
    camera = build_camera({"driver": "video", "file": str(data / "video" / "squats.mp4")})
    camera.open()
    read = [camera.read(1.0) for _ in range(4)]
    camera.close()
    return read


def descriptors():
    gc.collect()
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def same(one, other):
    if isinstance(one, Absent) or isinstance(other, Absent):
        return one == other
    return np.array_equal(one.positions, other.positions, equal_nan=True)


def test_close_comes_before_open_and_twice_without_complaint(pose, frames):
    pose.close()
    pose.open()
    pose.estimate(frames[0])
    pose.close()
    pose.close()


def test_every_frame_gets_a_body_or_a_reason(pose, frames):
    pose.open()
    for frame in frames:
        answer = pose.estimate(frame)
        if isinstance(answer, Absent):
            assert answer.reason in get_args(AbsentReason)
            assert answer.detail
        else:
            assert isinstance(answer, Body)
            assert answer.positions.shape == (len(answer.confidence), 3)
            assert ((answer.confidence >= 0) & (answer.confidence <= 1)).all()
            assert np.isfinite(answer.positions[answer.confidence > 0]).all()


def test_a_real_person_is_answered_the_same_after_closing_and_opening(pose, photos):
    answers = []
    for _ in range(2):
        pose.open()
        answers.append([pose.estimate(photo) for photo in photos])
        pose.close()
    assert all(same(one, other) for one, other in zip(*answers, strict=True))


def test_opened_again_it_leaves_no_thread_and_no_descriptor(pose, frames):
    pose.open()
    pose.close()
    threads, files = set(threading.enumerate()), descriptors()
    for _ in range(2):
        pose.open()
        pose.estimate(frames[-1])
        pose.close()
    assert descriptors() <= files
    assert set(threading.enumerate()) <= threads


def test_what_is_not_open_answers_all_the_same_or_is_an_error_of_the_devices_tree(pose, frames):
    with suppress(HalError):
        assert isinstance(pose.estimate(frames[0]), (Body, Absent))


def test_it_says_who_it_is_before_it_is_open_and_refuses_unknown_options(pose_bench, pose):
    assert pose.info.driver == pose_bench.settings["driver"]
    assert pose.info.name
    with pytest.raises(DriverOptionError, match=r"pose\.no_such_option"):
        driver_options("pose", pose_bench.settings | {"no_such_option": 1})
