"""A hand raised above the head: the patient's way to stop, and to answer, without a button (thresholds: ours)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np

from appliance.skeleton.standard import INDEX, Recording
from appliance.track import Skeleton

Hands = Literal["left", "right", "both"]

ABOVE_M = 0.08
"""The wrist must be so far above the middle of the head."""
NEAR_M = 0.05
"""A reference whose wrist comes to within so much of that height may look like the sign."""
HELD_S = 1.0
LOST_S = 0.3
"""Frames that do not show it for less long do not end it."""
_SIDES = ("left", "right")


def usable_hands(reference: Recording) -> tuple[str, ...]:
    """The hands that the exercise itself does not raise so high."""
    head = reference.positions[:, INDEX["head"], 1]
    usable = []
    for side in _SIDES:
        above = reference.positions[:, INDEX[f"{side}_wrist"], 1] - head
        if not np.any(above[np.isfinite(above)] > ABOVE_M - NEAR_M):
            usable.append(side)
    return tuple(usable)


class RaisedHands:
    """Told every frame in order. hands: those that count.

    A hand that was told, or (lowered_first) was up from the start, is lowered before it is a sign again.
    """

    def __init__(self, hands: Collection[str] = _SIDES, lowered_first: bool = False) -> None:
        self._hands = hands
        self._shown: Hands | None = None
        self._from_s = self._last_s = -np.inf
        self._up_s = dict.fromkeys(_SIDES, -np.inf)
        self._old = set(_SIDES) if lowered_first else set()

    def update(self, skeleton: Skeleton, now_s: float) -> Hands | None:
        """The hands that have been up for `HELD_S`, told once each time."""
        up = self._up(skeleton)
        self._up_s |= dict.fromkeys(up, now_s)
        self._old = {side for side in self._old if now_s - self._up_s[side] <= LOST_S}
        if not up:
            if now_s - self._last_s > LOST_S:
                self._shown = None
            return None
        shown: Hands = "both" if len(up) == 2 else "left" if up[0] == "left" else "right"
        if shown != self._shown or now_s - self._last_s > LOST_S:
            self._shown, self._from_s = shown, now_s
        self._last_s = now_s
        if now_s - self._from_s < HELD_S or self._old.issuperset(up):
            return None
        self._old.update(up)
        return shown

    def _up(self, skeleton: Skeleton) -> list[str]:
        head = skeleton.positions[INDEX["head"], 1]
        wrists = {side: skeleton.positions[INDEX[f"{side}_wrist"], 1] for side in _SIDES}
        return [side for side in _SIDES if side in self._hands and wrists[side] > head + ABOVE_M]
