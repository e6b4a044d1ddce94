"""What reading seventeen sensors and lifting a body into depth cost."""

from __future__ import annotations

from appliance.bench.rows import Row
from hal.measures import depth_to_joints, imu_line

LARGEST_SHARE = 0.10
LONGEST_MS = 3.0


def run() -> list[Row]:
    line = imu_line()
    return [
        Row("17 IMUs at 96 Hz over a serial line, share of one core", line.share, "cores", LARGEST_SHARE),
        Row("17 IMUs at 96 Hz over a serial line, lost", line.lost, "samples", 0),
        Row("17 IMUs at 96 Hz over a serial line, received", line.received / line.expected, "of expected", 0.99, False),
        Row("depth onto 720p and 33 landmarks lifted, one thread", depth_to_joints(), "ms a frame", LONGEST_MS),
    ]
