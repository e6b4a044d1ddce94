"""Calibration of cameras to each other, as the appliance asks for it. No driver, hence not in the registry."""

from hal.camera.checkerboard import Board
from hal.camera.known_camera import KnownCamera, read_known_camera
from hal.camera.placement import Moved, Placement, compare, measure_placement
from hal.camera.two_views import calibrate_two_views, pair_pictures, picture_size
from hal.camera.two_views_file import StoredCamera, StoredTwoViews, read_two_views, stored
from hal.pose.metric import levelling

__all__ = [
    "Board",
    "KnownCamera",
    "Moved",
    "Placement",
    "StoredCamera",
    "StoredTwoViews",
    "calibrate_two_views",
    "compare",
    "levelling",
    "measure_placement",
    "pair_pictures",
    "picture_size",
    "read_known_camera",
    "read_two_views",
    "stored",
]
