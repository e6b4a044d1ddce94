"""Either a patient exercises or the box is being updated, never both: a lock that the kernel frees with its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_FILE = "session.lock"
"""In the state folder; `flock` on it is also how the package's scripts ask."""


@contextmanager
def session_lock(state: Path) -> Iterator[bool]:
    """Whether the lock is ours until the context is left; False while the other side has it. Raises `OSError`.

    An updater works as root in a folder of the daemon's, hence no link is followed, and the lock is the daemon's.
    """
    lock = os.open(state / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _hand_over(lock, state.stat())
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)


def _hand_over(lock: int, folder: os.stat_result) -> None:
    """What root made belongs to whom the folder belongs to; a file that has another name too is left alone."""
    made = os.fstat(lock)
    if os.geteuid() == 0 and made.st_nlink == 1 and (made.st_uid, made.st_gid) != (folder.st_uid, folder.st_gid):
        os.fchown(lock, folder.st_uid, folder.st_gid)
