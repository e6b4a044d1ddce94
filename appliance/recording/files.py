"""Any recording of a skeleton, told apart by what is in the file and not by its name."""

from __future__ import annotations

from pathlib import Path

from appliance.recording.skeleton_csv import read_skeleton_csv
from appliance.skeleton.standard import Recording


def read_recording(path: Path) -> Recording:
    """The skeleton recording in `path`. Raises `RecordingError`: one line that says what is wrong with the file."""
    return read_skeleton_csv(path)
