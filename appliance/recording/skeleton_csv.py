"""The project's skeleton CSV: `time_s`, then `<joint>.x,<joint>.y,<joint>.z` in metres for the 17 standard joints.

Plain or gzip, one row a frame, an empty cell where a joint was not seen. The layout is ours; it holds no confidence:
what is read back is 1 where a joint was seen and 0 where not. z is 0 throughout where the source was planar.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from appliance.errors import RecordingError
from appliance.recording.csv_table import LONGEST_S, CsvLayout, read_csv_table
from appliance.recording.disk import write_whole
from appliance.skeleton.standard import JOINTS, Recording, recording_of

COLUMNS = ("time_s", *(f"{joint}.{axis}" for joint in JOINTS for axis in "xyz"))

MOST_FRAMES = int(LONGEST_S * 120)
FARTHEST = 1e6
"""Beyond any position in metres, or in pixels; what lies farther would overflow in a square."""
_LAYOUT = CsvLayout("a skeleton CSV", COLUMNS, MOST_FRAMES, FARTHEST, "beyond any position")


def write_skeleton_csv(path: Path, recording: Recording) -> None:
    """Write `recording` to `path`, whole or not at all; gzip where the name ends in `.gz`.

    Resolution is 1e-6 m and 1e-6 s. The same recording always gives the same bytes, so that its digest names it.
    Raises `RecordingError` where the disk refuses, or two frames are closer than the resolution of time.
    """
    times = np.round(recording.times, 6)
    if np.any(np.diff(times) <= 0):
        raise RecordingError(f"{path}: cannot be written: two frames lie less than a microsecond apart")
    table = np.column_stack([times, recording.positions.reshape(len(recording), -1)])
    table = np.round(np.where(np.isfinite(table), table, np.nan), 6) + 0.0  # + 0.0: no "-0.000000"
    row_format = ",".join(["%.6f"] * len(COLUMNS))
    rows = (row_format % tuple(row) for row in table.tolist())
    data = "\n".join([",".join(COLUMNS), *rows, ""]).replace("nan", "").encode("ascii")
    write_whole(path, gzip.compress(data, compresslevel=6, mtime=0) if path.suffix == ".gz" else data)


def read_skeleton_csv(path: Path) -> Recording:
    """Read a skeleton CSV, plain or gzip by its content; columns in any order, further columns ignored.

    Raises `RecordingError`, one line that names the file and where it can the line and column, for whatever is not
    such a recording: see the checks below. A recording of one frame is readable; scoring refuses it.
    """
    table = read_csv_table(path, _LAYOUT)
    positions = table[:, 1:].reshape(len(table), len(JOINTS), 3)
    seen = np.isfinite(positions).all(axis=2)
    if not len(table):
        raise RecordingError(f"{path}: has a header and no frames")
    if not seen.any():
        raise RecordingError(f"{path}: no joint was seen in any of its {len(table)} frames")
    return recording_of(table[:, 0], positions, planar=not positions[seen][:, 2].any())
