"""What can be fuzzed. A target takes its source of chance and gives a function that feeds one more input."""

from __future__ import annotations

import random
from collections.abc import Callable

import inbox
import kinect
import recordings
import streams

TARGETS: dict[str, Callable[[random.Random], Callable[[], None]]] = {
    "bvh": streams.bvh,
    "bvh-file": recordings.bvh_file,
    "bvh-text": streams.bvh_text,
    "finerehab": recordings.finerehab,
    "imu-csv": recordings.imu_csv,
    "inbox": inbox.inbox,
    "kinect-imu": kinect.kinect_imu,
    "kinect-mkv": kinect.kinect_mkv,
    "prescription": recordings.prescription,
    "session": recordings.session,
    "skeleton-csv": recordings.skeleton_csv,
    "xbus": streams.xbus,
}

SHARES = {"inbox": 0.3, "kinect-mkv": 0.3}
"""Of the inputs, where all targets are fed in turn and one input takes long; the others get them all."""
