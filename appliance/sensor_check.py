"""Are all sensors there, and does each sit on its own place? For `rehabbox doctor` and `rehabbox check-sensors`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hal.exchange import GUIDE, Finding, Step, Window, find_exchanged
from hal.protocols import ImuSet
from hal.types import ImuSample

HEAR_S = 1.0
"""After so long without a sample a driver calls a sensor silent."""
READ_S = 0.1
REST = 0.4
"""Pause before a step, of its length: the limb comes to rest and the next instruction is read (ours)."""

Prompt = Callable[[int, Step], None]
"""Shows a step and its number, from 1."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Segments by whether their sensors sent anything."""

    segments: frozenset[str]
    silent: tuple[str, ...]

    @property
    def fault(self) -> str:
        """Which sensors are missing; empty where none is."""
        if self.silent:
            count = len(self.segments)
            return f"{count} of {count + len(self.silent)} sensors were heard; silent: {', '.join(self.silent)}"
        return "" if self.segments else f"no sensor was heard within {HEAR_S:.0f} s"


def hear(imu: ImuSet) -> Heard:
    """Listens to an open set for a moment. Raises `DeviceLostError`."""
    heard = frozenset(sample.segment for sample in _collect(imu, HEAR_S))
    return Heard(heard, tuple(name for name in getattr(imu, "silent", ()) if name not in heard))


def guide(imu: ImuSet, rest: Prompt, go: Prompt, step_s: float) -> Finding:
    """Leads through `GUIDE` on an open set and says which sensors are exchanged.

    rest: announces a step, shortly before it begins. go: it begins, and is recorded for step_s.
    Raises `DeviceLostError`.
    """
    samples: list[ImuSample] = []
    windows = []
    for number, step in enumerate(GUIDE, 1):
        rest(number, step)
        _collect(imu, REST * step_s)
        go(number, step)
        begin_ns = time.monotonic_ns()
        samples += _collect(imu, step_s)
        windows.append(Window(step, begin_ns, time.monotonic_ns()))
    return find_exchanged(samples, windows)


def _collect(imu: ImuSet, seconds: float) -> list[ImuSample]:
    samples: list[ImuSample] = []
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0:
        samples += imu.read(min(READ_S, left_s))
    return samples
