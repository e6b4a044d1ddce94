"""The project's IMU recording (ours): `time_s,gyro.x,gyro.y,gyro.z,acc.x,acc.y,acc.z` of one sensor, CSV or CSV.gz.

Angular velocity in rad/s, acceleration in m/s^2 with gravity, both in the sensor's axes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from appliance.errors import RecordingError
from appliance.recording.csv_table import LONGEST_S, CsvLayout, read_csv_table
from appliance.sync.inertial import InertialRecording

COLUMNS = ("time_s", *(f"{kind}.{axis}" for kind in ("gyro", "acc") for axis in "xyz"))
FASTEST = 100.0
"""rad/s. No limb turns so fast, and no sensor for limbs measures it (4000 deg/s is 70)."""
_LAYOUT = CsvLayout(
    "an IMU recording", COLUMNS, int(LONGEST_S * 1000), 2000.0, "beyond any limb; gyro is in rad/s, acc in m/s^2"
)


def read_imu_csv(path: Path) -> InertialRecording:
    """Columns in any order, further columns ignored; a row with an empty cell is a lost sample.

    Raises `RecordingError`, one line that names the file and where it can the line and column.
    """
    table = read_csv_table(path, _LAYOUT)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < 2:
        raise RecordingError(f"{path}: has {len(table)} whole samples; a recording has at least two")
    fast = np.abs(table[:, 1:4]).max()
    if fast > FASTEST:
        raise RecordingError(f"{path}: the sensor turns at {fast:.0f} rad/s, no limb does; is gyro in degrees?")
    return InertialRecording(table[:, 0], table[:, 1:4], table[:, 4:7])
