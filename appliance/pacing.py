"""The instructor's tempo as beats: where each repetition of the reference starts, turns and ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from appliance.errors import RehabBoxError
from appliance.segmentation.repetitions import Repetition, find_repetitions
from appliance.set_watch import BLIND_S
from appliance.skeleton.standard import Recording
from hal.types import CueKind

LEAD_S = 1.0
"""From "go" to the first beat (ours)."""
LEAST_REST_S = 0.3
"""Between the end of a repetition and the next: a reference of one repetition has no rest to take over."""

Beat = tuple[float, CueKind]
"""Seconds since "go", and the cue."""


def beats_of(reference: Recording, joints: Sequence[str], repetitions: int) -> list[Beat]:
    """In order of time; the reference's complete repetitions over and over. Empty where it has none."""
    try:
        found = [one for one in find_repetitions(reference, joints) if one.complete and one.reverse_s is not None]
    except RehabBoxError:
        return []
    if not found:
        return []
    rests = [max(LEAST_REST_S, after.start_s - one.end_s) for one, after in pairwise(found)]
    rest_s = sum(rests) / len(rests) if rests else LEAST_REST_S
    beats: list[Beat] = []
    at_s = LEAD_S
    for number in range(repetitions):
        one = found[number % len(found)]
        beats += _of(one, at_s)
        at_s += one.end_s - one.start_s + rest_s
    return beats


def _of(one: Repetition, at_s: float) -> list[Beat]:
    assert one.reverse_s is not None
    return [
        (at_s, "beat_start"),
        (at_s + one.reverse_s - one.start_s, "beat_turn"),
        (at_s + one.end_s - one.start_s, "beat_end"),
    ]


class Metronome:
    """Told the time of every frame that is no pause; says which beat is due. A camera that stalls is a pause, too."""

    def __init__(self, beats: Sequence[Beat]) -> None:
        self._beats = list(beats)
        self._passed_s = 0.0
        self._last_s: float | None = None

    def update(self, now_s: float, paused: bool) -> CueKind | None:
        """The newest beat that is due; those missed meanwhile are left out."""
        if self._last_s is not None and not paused and now_s - self._last_s < BLIND_S:
            self._passed_s += now_s - self._last_s
        self._last_s = now_s
        due: CueKind | None = None
        while self._beats and self._beats[0][0] <= self._passed_s:
            due = self._beats.pop(0)[1]
        return due
