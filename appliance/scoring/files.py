"""Scoring by file name: the same errors, with the file named."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import NotScorableError
from appliance.recording.files import read_recording
from appliance.scoring.compare import Comparison, compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import PreparedReference, prepare_reference
from appliance.skeleton.standard import Recording


def reference_from_file(path: Path, options: ScoringOptions) -> PreparedReference:
    """Raises `RecordingError` or `NotScorableError`, either naming the file."""
    return reference_from(read_recording(path), options, path)


def compare_file(reference: PreparedReference, path: Path) -> Comparison:
    """Raises `RecordingError` or `NotScorableError`, either naming the file."""
    return compare_named(reference, read_recording(path), path)


def reference_from(recording: Recording, options: ScoringOptions, path: Path) -> PreparedReference:
    """Of a recording that was read from `path`. Raises `NotScorableError`, naming the file."""
    try:
        return prepare_reference(recording, options)
    except NotScorableError as error:
        raise NotScorableError(f"{path}: {error}") from None


def compare_named(reference: PreparedReference, recording: Recording, path: Path) -> Comparison:
    """Of a recording that was read from `path`. Raises `NotScorableError`, naming the file."""
    try:
        return compare(reference, recording)
    except NotScorableError as error:
        raise NotScorableError(f"{path}: {error}") from None
