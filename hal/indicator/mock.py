"""An indicator for tests: keeps what it was shown and when, and refuses what no real one could follow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, get_args

from pydantic import BaseModel, ConfigDict

from hal.errors import MisuseError
from hal.types import HINTS, Cue, CueKind, DeviceInfo

_OF_AN_EXERCISE = ("ready", "place", "countdown", "recording", "paused", "scoring", "done", "abandoned")


@dataclass(frozen=True, slots=True)
class Shown:
    """A cue, and the seconds since `open` at which it was shown."""

    at_s: float
    cue: Cue


class MockIndicator:
    """Strict where real ones are lenient, so that a wrong caller shows. It neither shines nor sounds."""

    capabilities: ClassVar[tuple[str, ...]] = ("records timed states", "synthetic")

    class Options(BaseModel):
        """None."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds, for tests that make their own time."""
        self._options, self._clock = options, clock
        self._opened_s: float | None = None
        self.states: list[Shown] = []
        """Since the last `open`; still there after `close`."""

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("mock", "mock indicator", 0.0, synthetic=True)

    def open(self) -> None:
        """Raises `MisuseError` where it is open already."""
        if self._opened_s is not None:
            raise MisuseError("mock indicator: opened twice; close() comes before another open()")
        self._opened_s = self._clock()
        self.states.clear()

    def close(self) -> None:
        self._opened_s = None

    def show(self, cue: Cue) -> None:
        """Raises `MisuseError` before `open`, for an unknown cue, and for one that does not fit its exercise."""
        if self._opened_s is None:
            raise MisuseError("mock indicator: show() before open()")
        if cue.kind not in get_args(CueKind):
            known = ", ".join(get_args(CueKind))
            raise MisuseError(f"mock indicator: there is no cue {cue.kind!r}; choose from {known}")
        if cue.hint and cue.hint not in HINTS.get(cue.kind, ()):
            raise MisuseError(f"mock indicator: {cue.kind!r} has no hint {cue.hint!r}")
        guided = "step" in cue.detail and not cue.exercise
        if cue.kind in _OF_AN_EXERCISE and not guided and not (cue.exercise and cue.side and cue.repetitions > 0):
            raise MisuseError(f"mock indicator: {cue.kind!r} needs exercise, side and repetitions")
        if cue.kind == "waiting" and cue.exercise:
            raise MisuseError(f"mock indicator: 'waiting' is about no exercise, not about {cue.exercise}")
        self.states.append(Shown(self._clock() - self._opened_s, cue))
