"""Any recording of a skeleton, told apart by what is in the file and not by its name."""

from __future__ import annotations

import codecs
from pathlib import Path

from mcap.writer import MCAP0_MAGIC

from appliance.errors import RecordingError
from appliance.recording.disk import open_recording
from appliance.recording.finerehab_json import read_finerehab
from appliance.recording.session_reader import read_session
from appliance.recording.skeleton_csv import read_skeleton_csv
from appliance.skeleton.standard import Recording

_LOOK = 64
"""Bytes; JSON may begin with white space."""


def read_recording(path: Path) -> Recording:
    """The skeleton in `path`: a session's MCAP, FineRehab-style JSON, or a skeleton CSV, plain or gzip.

    Raises `RecordingError`: one line that names the file and says what is wrong with it.
    """
    with open_recording(path) as file:
        start = file.read(_LOOK)
    if start.startswith(MCAP0_MAGIC):
        return _skeleton_of_session(path)
    is_json = start.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"
    return read_finerehab(path).recording if is_json else read_skeleton_csv(path)


def _skeleton_of_session(path: Path) -> Recording:
    skeleton = read_session(path).skeleton
    if skeleton is None:
        raise RecordingError(f"{path}: is a session file in which no skeleton was recorded")
    if not (skeleton.confidence > 0).any():
        raise RecordingError(f"{path}: no joint was seen in any of its {len(skeleton)} frames")
    return skeleton
