"""Pain and effort after a session, answered by hands or by the button; no answer is an answer, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Literal, TypeVar

from appliance.capture import Capture, Ended
from appliance.devices import Devices
from appliance.gestures import Hands, RaisedHands
from appliance.guidance_settings import GuidanceSettings
from appliance.messages.session import Effort, Feedback, Pain
from appliance.orders import Interruption
from appliance.set_guide import Tell
from appliance.track import CameraRole, Skeleton
from hal.errors import HalError

_log = logging.getLogger(__name__)

T = TypeVar("T", bound=str)

POLL_S = 0.1
PRESSES_APART_S = 1.5
"""A button that rests for so long has said all (ours)."""
MOST_ASKED = 3
"""How often one question is asked, where it is not understood or its answer is taken back (ours)."""
BOUNCING_S = 5.0
"""So long after its time a button is waited for that does not come to rest: its contact bounces (ours)."""
BLIND_S = 3.0
"""Without a picture for so long, a raised hand would not be seen (ours)."""

Answer = Hands | int
"""Hands that were raised, or how often the button was pressed."""

PAIN: Mapping[Answer, Pain] = {"right": "yes", "left": "no", 1: "yes", 2: "no"}
EFFORT: Mapping[Answer, Effort] = {"left": "easy", "both": "right", "right": "hard", 1: "easy", 2: "right", 3: "hard"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the patient answered; missing: what kept the box from asking, or from hearing an answer."""

    feedback: Feedback | None
    missing: str | None = None


def ask(
    devices: Devices, tell: Tell, guidance: GuidanceSettings, interruption: Callable[[], Interruption | None]
) -> Asked:
    """Without a camera the button alone is asked for, where there is one."""
    with ExitStack() as opened:
        capture: Capture | None = None
        unseen = "the camera gave no picture"
        try:
            capture = opened.enter_context(Capture(devices.eyes, None))
        except HalError as error:
            _log.warning("no camera sees the patient's answers: %s", error)
            unseen = str(error)
        asking = _Asking(capture, devices, tell, guidance, interruption)
        pain = asking.ask("pain", PAIN)
        effort = asking.ask("effort", EFFORT)
    if asking.interrupted:
        return Asked(None, "the box was stopped")
    missing = f"no button, and {unseen}" if asking.unheard else None
    if missing is not None:
        _log.warning("the patient's answers cannot be heard: %s", missing)
        if pain is None and effort is None:
            return Asked(None, missing)
    return Asked(Feedback(pain=pain or "not_answered", effort=effort or "not_answered"), missing)


class _Asking:
    """capture: None where no camera could be opened."""

    def __init__(
        self,
        capture: Capture | None,
        devices: Devices,
        tell: Tell,
        guidance: GuidanceSettings,
        interruption: Callable[[], Interruption | None],
    ) -> None:
        self._capture, self._devices, self._tell = capture, devices, tell
        self._guidance, self._interruption = guidance, interruption
        self._hands = RaisedHands(lowered_first=True)
        self._roles: list[CameraRole] = ["camera", "second_camera"]
        self._lost: set[CameraRole] = set()
        self._pictured_s = monotonic()
        self.interrupted = False
        self.unheard = False
        """Whether a question was in vain: no picture, and no button."""

    def ask(self, question: Literal["pain", "effort"], answers: Mapping[Answer, T]) -> T | None:
        """What was answered, and shown back; asked again where it was not understood.

        So it is where another sign follows, whichever it is: it takes the answer back. Who presses slowly, or raises
        one hand before the other, gave one that they did not mean.
        """
        why = ""
        for _ in range(MOST_ASKED):
            if self.interrupted:
                return None
            if not self._heard:
                self.unheard = True
                return None
            if why:
                self._say("question", why)
            self._tell("question", f"{question}_button" if self._blind else question)
            self._devices.presses()  # what was pressed before answers nothing
            answer = self._hear(self._guidance.answer_s)
            if answer is None:
                break
            if answer not in answers:
                why = "again"
                continue
            self._tell("noted", answers[answer])
            if self._hear(self._guidance.words_s + self._guidance.change_s) is None:
                return answers[answer]
            why = "changed"
        if not self.interrupted:
            self.unheard |= not self._heard
            self._say("noted", "unanswered")
        return None

    @property
    def _blind(self) -> bool:
        return self._capture is None or monotonic() - self._pictured_s > BLIND_S

    @property
    def _heard(self) -> bool:
        button = self._devices.button
        return not self._blind or (button.there and button.condition.error is None)

    def _say(self, kind: Literal["question", "noted"], hint: str) -> None:
        """To the end of its words, before anything else is said. Who answers meanwhile answers nothing."""
        self._tell(kind, hint)
        until_s = monotonic() + self._guidance.words_s
        while monotonic() < until_s and not self._stopped():
            self._look()

    def _hear(self, for_s: float) -> Answer | None:
        pressed, pressed_s = 0, 0.0
        until_s = monotonic() + for_s
        while monotonic() < until_s or (pressed and monotonic() < until_s + BOUNCING_S):
            if self._stopped():
                return None
            shown = self._look()
            more = self._devices.presses()
            if more:
                pressed, pressed_s = pressed + more, monotonic()
                self._tell("pressed", "")
            if pressed and monotonic() - pressed_s > PRESSES_APART_S:
                return pressed
            if shown is not None:
                return shown
        return pressed or None

    def _stopped(self) -> bool:
        self.interrupted = self.interrupted or self._interruption() == "stopped"
        return self.interrupted

    def _look(self) -> Hands | None:
        """Hands that are shown to the first camera that is there."""
        if self._capture is None:
            sleep(POLL_S)
            return None
        item = self._capture.next(POLL_S)
        if isinstance(item, Ended) and item.device != "imu":
            self._lost.add(item.device)
        if not isinstance(item, Skeleton):
            return None
        self._lost.discard(item.camera)
        self._pictured_s = monotonic()
        leading = next((role for role in self._roles if role not in self._lost), "camera")
        return self._hands.update(item, item.stamp_ns / 1e9) if item.camera == leading else None
