"""Pain and effort after a session, answered by hands or by the button; no answer is an answer, too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Literal, TypeVar

from appliance.capture import Capture
from appliance.devices import Devices
from appliance.gestures import Hands, RaisedHands
from appliance.messages.session import Effort, Feedback, Pain
from appliance.orders import Interruption
from appliance.set_guide import Tell
from appliance.track import Skeleton
from hal.errors import HalError

_log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_S = 0.1
PRESSES_APART_S = 1.5
"""A button that rests for so long has said all (ours)."""

Answer = Hands | int
"""Hands that were raised, or how often the button was pressed."""

PAIN: Mapping[Answer, Pain] = {"right": "yes", "left": "no", 1: "yes", 2: "no"}
EFFORT: Mapping[Answer, Effort] = {"left": "easy", "both": "right", "right": "hard", 1: "easy", 2: "right", 3: "hard"}


def ask(
    devices: Devices, tell: Tell, answer_s: float, interruption: Callable[[], Interruption | None]
) -> Feedback | None:
    """None where the box was told to do something else meanwhile, or cannot see the patient."""
    try:
        with Capture(devices.eyes, None) as capture:
            asking = _Asking(capture, devices.presses, tell, answer_s, interruption)
            pain = asking.ask("pain", PAIN)
            effort = asking.ask("effort", EFFORT)
    except HalError as error:
        _log.warning("the patient is not asked: %s", error)
        return None
    if asking.interrupted:
        return None
    return Feedback(pain=pain or "not_answered", effort=effort or "not_answered")


class _Asking:
    def __init__(
        self,
        capture: Capture,
        presses: Callable[[], int],
        tell: Tell,
        answer_s: float,
        interruption: Callable[[], Interruption | None],
    ) -> None:
        self._capture, self._presses, self._tell = capture, presses, tell
        self._answer_s, self._interruption = answer_s, interruption
        self.interrupted = False

    def ask(self, question: Literal["pain", "effort"], answers: Mapping[Answer, T]) -> T | None:
        """What was answered; asked once more where it was not understood."""
        for hint in (question, "again"):
            if self.interrupted:
                return None
            self._tell("question", hint)
            answer = self._hear()
            if answer is None:
                break
            if answer in answers:
                self._tell("noted", "")
                return answers[answer]
        if not self.interrupted:
            self._tell("noted", "unanswered")
        return None

    def _hear(self) -> Answer | None:
        hands = RaisedHands()
        pressed, pressed_s = 0, 0.0
        self._presses()
        until_s = monotonic() + self._answer_s
        while monotonic() < until_s or pressed:
            if self._interruption() == "stopped":
                self.interrupted = True
                return None
            item = self._capture.next(POLL_S)
            more = self._presses()
            if more:
                pressed, pressed_s = pressed + more, monotonic()
            if pressed and monotonic() - pressed_s > PRESSES_APART_S:
                return pressed
            if isinstance(item, Skeleton) and item.camera == "camera":
                shown = hands.update(item, item.stamp_ns / 1e9)
                if shown is not None:
                    return shown
        return None
