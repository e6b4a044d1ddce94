"""Keeps the native libraries' chatter off stderr, where one clear line is all that people should find."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator

_CHATTER = re.compile(
    rb"INFO: (Created|Initialized) TensorFlow Lite|WARNING: All log messages before absl::|[IW]\d{4} \d\d:\d\d:"
)
"""How TFLite's and absl's notes begin. Neither has a switch that MediaPipe's wheel lets one reach."""

_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def native_chatter_dropped() -> Iterator[None]:
    """Inside, what is written to descriptor 2 is held back; then known chatter is dropped and the rest passed on.

    For the few calls that are known to chatter, not for long: other threads' lines wait too.
    """
    with _one_at_a_time:
        sys.stderr.flush()
        stderr = os.dup(2)
        held = os.memfd_create("stderr")
        os.dup2(held, 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            os.lseek(held, 0, os.SEEK_SET)
            with os.fdopen(held, "rb") as lines:
                for line in lines:
                    if not _CHATTER.match(line):
                        os.write(2, line)
