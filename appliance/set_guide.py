"""The patient in one set: led to their place, counted in, paced where prescribed, watched over, and heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from appliance.exercises import Exercise
from appliance.gestures import RaisedHands, usable_hands
from appliance.guidance_settings import GuidanceSettings
from appliance.pacing import Metronome, beats_of
from appliance.placing import Placing
from appliance.safety import FallWatch, LimitWatch
from appliance.set_watch import BLIND_S
from appliance.skeleton.standard import Recording
from appliance.track import Skeleton
from hal.types import CueKind

Tell = Callable[[CueKind, str], None]
"""Shows the patient a cue, with its hint or an empty one."""
GuideEnd = Literal["patient_stopped", "limit_exceeded", "fall_suspected", "no_response"]


class SetGuide:
    """Told every frame of the leading camera, in order; times are seconds on one clock.

    reference: None where a reference is being recorded; then nothing is known of the movement, and all of it allowed.
    presses: how often the button was pressed since it was asked before.
    """

    def __init__(
        self,
        settings: GuidanceSettings,
        exercise: Exercise,
        tell: Tell,
        presses: Callable[[], int],
        reference: Recording | None = None,
        limits: Mapping[str, float] | None = None,
        paced_repetitions: int = 0,
    ) -> None:
        self._settings, self._tell, self._presses = settings, tell, presses
        self._placing = Placing(
            exercise.joints, exercise.position, settings.hint_every_s, settings.patience_s, settings.countdown_s
        )
        self._hands = RaisedHands(usable_hands(reference) if reference is not None else ())
        self._answering = RaisedHands(lowered_first=True)
        self._limits = LimitWatch(lowest(exercise.limits, limits or {}) if reference is not None else {})
        self._fall = FallWatch(reference, exercise.position) if reference is not None else None
        beats = beats_of(reference, exercise.joints, paced_repetitions) if reference is not None else []
        self._metronome = Metronome(beats)
        self._asked = False
        self._waited_s, self._looked_s = 0.0, 0.0
        """For an answer, and when it was looked for one last."""
        self.what = ""
        """What exactly ended the set; empty where its name says it all."""

    def pressed(self) -> GuideEnd | Literal["idle"] | None:
        """Asked all the time, pictures or none: a press ends the set, and is an answer where one is waited for."""
        if not self._presses():
            return None
        return "idle" if self._asked else "patient_stopped"

    def ready(self, skeleton: Skeleton, now_s: float) -> bool | GuideEnd:
        """Before the set: whether it may begin with this frame."""
        if self._stopped(skeleton, now_s):
            return "patient_stopped"
        if not self._settings.place:
            return skeleton.seen
        told = self._placing.update(skeleton, now_s)
        if told is not None:
            kind, hint = told
            self._tell("countdown" if kind == "countdown" else "place", hint)
        return self._placing.ready and skeleton.seen

    def watch(self, skeleton: Skeleton, now_s: float, paused: bool) -> GuideEnd | None:
        """In the set: what ends it, if anything does."""
        beat = self._metronome.update(now_s, paused)
        if beat is not None and not paused and not self._asked:
            self._tell(beat, "")
        if paused:
            return None
        if self._asked:
            return None  # a raised hand is an answer now
        if self._stopped(skeleton, now_s):
            return "patient_stopped"
        if self._fall is not None and self._fall.update(skeleton, now_s):
            return "fall_suspected"
        exceeded = self._limits.update(skeleton, now_s)
        if exceeded is not None:
            self.what = exceeded
            return "limit_exceeded"
        return None

    def answered(self, skeleton: Skeleton, now_s: float) -> bool | None:
        """Nobody goes on: are they all right? None while it is waited for an answer; False where none came.

        Asked in the frames that could show an answer: while it is not asked, in a pause or without pictures, no time
        passes.
        """
        if not self._asked:
            self._asked, self._waited_s = True, 0.0
            self._tell("question", "all_right")
        elif now_s - self._looked_s < BLIND_S:
            self._waited_s += now_s - self._looked_s
        self._looked_s = now_s
        if self._answering.update(skeleton, now_s) is not None:
            return True
        return False if self._waited_s > self._settings.answer_s else None

    def went_on(self) -> None:
        """Who was asked, and moved instead of answering, is all right."""
        self._asked = False
        self._answering = RaisedHands(lowered_first=True)
        self._tell("recording", "")

    def _stopped(self, skeleton: Skeleton, now_s: float) -> bool:
        return self._hands.update(skeleton, now_s) is not None


def lowest(*all_limits: Mapping[str, float]) -> dict[str, float]:
    """Of each limit the strictest."""
    merged: dict[str, float] = {}
    for limits in all_limits:
        for name, value in limits.items():
            merged[name] = min(value, merged.get(name, value))
    return merged
