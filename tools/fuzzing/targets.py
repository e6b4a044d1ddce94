"""What can be fuzzed. A target takes its source of chance and gives a function that feeds one more input."""

from __future__ import annotations

import random
from collections.abc import Callable

import kinect
import recordings
import streams

TARGETS: dict[str, Callable[[random.Random], Callable[[], None]]] = {
    "bvh": streams.bvh,
    "bvh-file": recordings.bvh_file,
    "bvh-text": streams.bvh_text,
    "finerehab": recordings.finerehab,
    "imu-csv": recordings.imu_csv,
    "kinect-imu": kinect.kinect_imu,
    "kinect-mkv": kinect.kinect_mkv,
    "prescription": recordings.prescription,
    "session": recordings.session,
    "skeleton-csv": recordings.skeleton_csv,
    "xbus": streams.xbus,
}

SHARES = {"bvh": 0.5, "bvh-file": 0.15, "bvh-text": 0.2, "finerehab": 0.15, "imu-csv": 0.2, "kinect-mkv": 0.05,
          "session": 0.15, "skeleton-csv": 0.2}  # fmt: skip
"""Of the inputs, where all targets are fed in turn and one input takes long; the others get them all."""
