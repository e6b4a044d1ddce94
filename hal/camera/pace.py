"""Replays at the speed of life."""

from __future__ import annotations

import time

_SECOND_NS = 1_000_000_000


def slept_until(due_ns: int, timeout_s: float) -> bool:
    """Sleep until `due_ns` on the monotonic clock, at most `timeout_s`; whether it was reached."""
    wait_s = (due_ns - time.monotonic_ns()) / _SECOND_NS
    if wait_s > 0:
        time.sleep(min(wait_s, timeout_s))
    return wait_s <= timeout_s
