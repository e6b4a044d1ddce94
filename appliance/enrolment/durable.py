"""Files that must be whole after a power cut, and some of them nobody else's business."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from appliance.errors import EnrolmentError
from appliance.recording.disk import sync_folder


def write_durably(file: Path, data: bytes, mode: int) -> None:
    """Whole or not at all, never readable by more than `mode` allows. Raises `EnrolmentError`."""
    beside = file.with_name(f".{file.name}.{uuid4().hex}.tmp")
    try:
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
                os.fchmod(stream.fileno(), mode)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(file.parent)
    except OSError as error:
        raise EnrolmentError(f"{file}: cannot be written: {error.strerror}") from None


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
