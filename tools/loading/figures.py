"""Figures of a run."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path


def peak_per_s(times: Iterable[float]) -> int:
    """The most that happened within any one second."""
    within: deque[float] = deque()
    most = 0
    for time_s in sorted(times):
        within.append(time_s)
        while time_s - within[0] >= 1.0:
            within.popleft()
        most = max(most, len(within))
    return most


def percentiles_ms(put: dict[str, datetime], received: dict[str, datetime]) -> dict[str, float]:
    """Of the time from a box's disk to the hospital's consumer."""
    taken = sorted((received[name] - at).total_seconds() * 1000 for name, at in put.items() if name in received)
    if not taken:
        return {}
    last = len(taken) - 1
    found = {f"p{share}": round(taken[round(share / 100 * last)], 1) for share in (50, 95, 99)}
    return found | {"max": round(taken[-1], 1)}


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
