"""Calibration of cameras to each other, as the appliance asks for it. No driver, hence not in the registry."""

from hal.camera.checkerboard import Board
from hal.camera.known_camera import read_known_camera
from hal.camera.placement import Moved
from hal.camera.two_views import calibrate_two_views, pair_pictures, picture_size
from hal.camera.two_views_file import StoredCamera, StoredTwoViews, read_two_views, stored

__all__ = [
    "Board",
    "Moved",
    "StoredCamera",
    "StoredTwoViews",
    "calibrate_two_views",
    "pair_pictures",
    "picture_size",
    "read_known_camera",
    "read_two_views",
    "stored",
]
