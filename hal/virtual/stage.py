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
from typing import Literal
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


Answer = Literal["left", "right", "both"]
Incident = Literal["none", "fall", "freeze", "left", "right"]
"""`fall`: onto the floor. `freeze`: no further movement. `left`, `right`: that hand is raised."""

_FALL_S = 0.6
_RAISED_S = 2.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How the patient takes what is asked: reaction_s after each cue; tempo and amplitude multiply their usual ones."""

    reaction_s: float = 0.8
    tempo: float = 1.0
    amplitude: float = 1.0
    incident: Incident = "none"
    incident_s: float = 3.0
    """What happens in every set, and how long after its beginning."""
    answers: tuple[Answer, ...] = ()
    """The hands that are raised when they are asked, question by question; then no more."""


class Stage:
    """A virtual patient in the host's time: all times here are seconds of `time.monotonic`, arrays (n,)."""

    def __init__(self, name: str) -> None:
        self.patient = VirtualPatient(seed=zlib.crc32(name.encode()))
        self._origin_s = time.monotonic()
        self._asked = ("", "")
        self._answered = 0

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
                self._happen(manner.incident, now_s + manner.incident_s)
            elif (
                cue.kind == "question" and cue.hint not in ("again", "changed") and self._answered < len(manner.answers)
            ):
                self.patient.raise_hands(manner.answers[self._answered], now_s + manner.reaction_s, _RAISED_S)
                self._answered += 1
            elif cue.kind in ("paused", "done", "abandoned", "setup", "waiting", "fault") and self._asked[0]:
                self.patient.rest(*self._asked, now_s + manner.reaction_s, _STOP_S)
        except HalError as error:
            _log.warning("%s; it stays at rest", error)

    def _happen(self, incident: Incident, at_s: float) -> None:
        if incident == "fall":
            self.patient.rest("supine_heel_slide", self._asked[1], at_s, _FALL_S)
        elif incident == "freeze":
            self.patient.rest(*self._asked, at_s, _STOP_S)
        elif incident != "none":
            self.patient.raise_hands(incident, at_s, _RAISED_S)


_stages: WeakValueDictionary[str, Stage] = WeakValueDictionary()
_lock = threading.Lock()


def stage(patient: str) -> Stage:
    """The stage of the patient of that name, the same for all who hold one; keep it, or it is gone."""
    with _lock:
        found = _stages.get(patient)
        if found is None:
            found = _stages[patient] = Stage(patient)
        return found
