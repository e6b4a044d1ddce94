"""Compiles the loops over depth pictures, which the first patient before a depth camera would otherwise wait for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hal.camera.depth_mapping import DepthMapper
from hal.camera.kinect_calibration import KinectCalibration
from hal.pose.bystanders import human_sized
from hal.pose.lift import lift
from hal.pose.limbs import LANDMARKS
from hal.pose.presence import body_refused
from hal.types import Lens

AWAY_M = 2.0
_SIDE_M = {
    "shoulder": (0.185, -0.5), "elbow": (0.21, -0.19), "wrist": (0.21, 0.06), "pinky": (0.22, 0.14),
    "index": (0.21, 0.15), "thumb": (0.2, 0.14), "hip": (0.09, 0.0), "knee": (0.09, 0.42), "ankle": (0.09, 0.84),
    "heel": (0.09, 0.87), "foot_index": (0.1, 0.87),
}  # fmt: skip
"""Across and down from the middle of the hips, of an adult who stands; all else is in the face."""
_FACE_M = (0.03, -0.72)


def made_up_camera() -> KinectCalibration:
    """Lenses, turn and distance as an Azure Kinect has them, at 720p and in its narrow field."""
    color = Lens(1280, 720, (608.0, 608.0), (639.0, 367.0), (0.6, -2.6, 0.0005, -0.0003, 1.5, 0.48, -2.4, 1.4))
    depth = Lens(640, 576, (504.5, 504.6), (321.0, 331.0), (3.5, 2.4, 0.0, 0.0, 0.12, 3.8, 3.7, 0.64))
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.9945, -0.1045], [0.0, 0.1045, 0.9945]])
    return KinectCalibration("", depth, color, turn, np.array([-0.032, -0.002, 0.004]), np.eye(3), np.eye(3))


def made_up_room() -> NDArray[np.uint16]:
    """(576, 640) depth in millimetres: a wall, and a board of a person's size `AWAY_M` before the camera."""
    room = np.full((576, 640), 3200, np.uint16)
    room[120:560, 250:400] = round(AWAY_M * 1000)
    return room


def warm_up() -> None:
    """From a depth picture to joints, or to the reason why there are none: which of them, is all the same."""
    camera = made_up_camera()
    depth = DepthMapper(camera).map(made_up_room())
    network = np.array([_place(name) for name in LANDMARKS])
    pixels = network[:, :2] / AWAY_M * camera.color.focal + camera.color.centre
    lifted = lift(depth, camera.color, pixels, network, np.ones(33), np.ones(33, np.bool_))
    body_refused(depth, camera.color, network, lifted)
    human_sized(depth, camera.color, None, pixels)


def _place(name: str) -> tuple[float, float, float]:
    side = -1.0 if "right" in name else 1.0
    across, down = _SIDE_M.get(name.removeprefix("left_").removeprefix("right_"), _FACE_M)
    return side * across, down, 0.0
