"""Where the virtual patient is: synthetic drivers of one process that name the same patient meet the same person.

A stage lives as long as one of its drivers does; there is nothing to reset. The name is the seed: body and habits of
"demo" are the same in every process.
"""

from __future__ import annotations

import logging
import threading
import time
import zlib
from dataclasses import dataclass
from weakref import WeakValueDictionary

from hal.errors import HalError
from hal.types import Cue
from hal.virtual.patient import Motion, VirtualPatient
from hal.virtual.rotations import Floats

_log = logging.getLogger(__name__)
_CHANGE_S = 1.5
"""Seconds to get from one exercise's rest posture into another's."""
_STOP_S = 1.0
"""Seconds to leave off in the middle of a repetition."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the patient takes what is asked: reaction_s after each cue; tempo and amplitude multiply their usual ones."""

    reaction_s: float = 0.8
    tempo: float = 1.0
    amplitude: float = 1.0


class Stage:
    """A virtual patient in the host's time: all times here are seconds of `time.monotonic`, arrays (n,)."""

    def __init__(self, name: str) -> None:
        self.patient = VirtualPatient(seed=zlib.crc32(name.encode()))
        self._origin_s = time.monotonic()
        self._asked = ("", "")

    def joints(self, times: Floats, points: tuple[str, ...]) -> Floats:
        """(n, points, 3) metres, stage axes: points of `hal.virtual.body.POINTS`."""
        return self.patient.joints(times - self._origin_s, points)

    def motion(self, times: Floats) -> Motion:
        return self.patient.motion(times - self._origin_s)

    def hear(self, cue: Cue, at_s: float, manner: Manner) -> None:
        """The patient takes up what the cue asks for: `ready` the rest posture, `recording` the set, else rest.

        An exercise the virtual patient does not know leaves them at rest, with a warning in the log; so does a guided
        movement, without one.
        """
        if "step" in cue.detail and not cue.exercise:
            return
        now_s = at_s - self._origin_s
        try:
            if cue.kind == "ready":
                self._asked = (cue.exercise, cue.side)
                self.patient.rest(*self._asked, now_s + manner.reaction_s, _CHANGE_S)
            elif cue.kind == "recording":
                self._asked = (cue.exercise, cue.side)
                lead_in_s = max(manner.reaction_s, self.patient.settled_s() - now_s)
                self.patient.perform(*self._asked, cue.repetitions, now_s, lead_in_s, manner.tempo, manner.amplitude)
            elif cue.kind in ("paused", "done", "abandoned", "setup", "waiting", "fault") and self._asked[0]:
                self.patient.rest(*self._asked, now_s + manner.reaction_s, _STOP_S)
        except HalError as error:
            _log.warning("%s; it stays at rest", error)


_stages: WeakValueDictionary[str, Stage] = WeakValueDictionary()
_lock = threading.Lock()


def stage(patient: str) -> Stage:
    """The stage of the patient of that name, the same for all who hold one; keep it, or it is gone."""
    with _lock:
        found = _stages.get(patient)
        if found is None:
            found = _stages[patient] = Stage(patient)
        return found
