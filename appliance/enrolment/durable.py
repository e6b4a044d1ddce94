"""Files that must be whole after a power cut, and some of them nobody else's business."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from appliance.errors import EnrolmentError, RecordingError
from appliance.recording.disk import sync_folder, write_whole


def write_durably(file: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, never readable by more than `mode` allows. Raises `EnrolmentError`."""
    try:
        write_whole(file, data, mode)
    except RecordingError as error:
        raise EnrolmentError(str(error)) from None


def point(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to `target` in one step: a reader sees the old place or the new one."""
    beside = link.with_name(f".{link.name}.{uuid4().hex}.tmp")
    try:
        try:
            beside.symlink_to(target)
            beside.replace(link)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(link.parent)
    except OSError as error:
        raise EnrolmentError(f"{link}: cannot be written: {error.strerror}") from None
