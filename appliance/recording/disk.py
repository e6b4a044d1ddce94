"""The disk as recordings meet it: opening what may not be there, and writing so that nothing half-written stays."""

from __future__ import annotations

import fcntl
import os
import uuid
from pathlib import Path
from typing import IO, BinaryIO

from appliance.errors import RecordingError


def open_recording(path: Path) -> BinaryIO:
    """`path` opened for reading, or a `RecordingError` in one line: missing, a folder, empty, not permitted."""
    if path.is_dir():
        raise RecordingError(f"{path}: is a folder; name a recording file")
    if not path.exists():
        raise RecordingError(f"{path}: no such file")
    if not path.is_file():
        raise RecordingError(f"{path}: is not a regular file; name a recording file")
    try:
        stream = path.open("rb")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
    if not os.fstat(stream.fileno()).st_size:
        stream.close()
        raise RecordingError(f"{path}: is empty")
    return stream


def write_whole(path: Path, data: bytes, mode: int | None = None) -> None:
    """Put `data` at `path` whole or not at all, and durably: written beside it, synced, renamed.

    mode: exactly this, from the first byte on; None leaves it to the process's umask.
    Raises `RecordingError` where the disk refuses (full, read-only, no such folder), and where `path` is a link, a
    device or anything else that is no file; what was at `path` then stays.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            what = "a link" if path.is_symlink() else "a folder" if path.is_dir() else "no regular file"
            raise RecordingError(f"{path}: cannot be written: is {what}; name a file")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(beside, flags, 0o666 if mode is None else mode), "wb") as stream:
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written: {error.strerror}") from None


def lock_folder(folder: Path) -> IO[bytes]:
    """Makes this process the only one that works in `folder`, until the returned file is closed or the process ends.

    The folder is made where it is not there. Raises `RecordingError` where another process has it, or the disk refuses.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise RecordingError(f"{folder}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise RecordingError(f"{folder}: another rehabbox works there; stop it first") from None
    return lock


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
