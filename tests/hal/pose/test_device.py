"""The joints that a camera found by itself are passed on as they are."""

from __future__ import annotations

import numpy as np

from hal.pose.device import DevicePose
from hal.types import Absent, Body, Frame


def test_the_cameras_own_body_is_the_answer() -> None:
    pose = DevicePose(DevicePose.Options())
    pose.open()
    body = Body("standard_17", np.zeros((17, 3)), np.ones(17))
    assert pose.estimate(Frame(0, 0, 0, body=body)) is body
    assert isinstance(pose.estimate(Frame(1, 0, 0)), Absent)
    pose.close()
