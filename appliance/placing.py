"""Whether the patient is where the box can measure them, and what to tell them where not (thresholds: ours)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from appliance.exercises import Position
from appliance.skeleton.standard import INDEX
from appliance.track import Skeleton
from hal.types import AbsentReason

NEAR_M, FAR_M = 1.2, 4.5
"""Distance of the pelvis from the camera within which the whole body is in view and the joints are well told."""
PARTLY = 0.8
"""Of the exercise's joints, so many must be seen."""
AWAY_M = 0.05
"""The left shoulder is so far on the right of the right one: the back is turned to the camera."""
STEADY_S = 1.0
"""One good frame is not yet a place; nor is one bad frame a reason to say anything."""

_ALONE: tuple[AbsentReason, ...] = ("two_people", "other_person")


def hint_of(skeleton: Skeleton, joints: Sequence[str], position: Position) -> str:
    """What is wrong with the patient's place in this frame: a hint of the cue `place`; empty where nothing is."""
    if not skeleton.seen:
        return "alone" if skeleton.absent in _ALONE else "nobody"
    seen = skeleton.confidence > 0
    if np.mean(seen[[INDEX[name] for name in joints]]) < PARTLY:
        return "partly"
    if not skeleton.planar and seen[INDEX["pelvis"]]:
        distance_m = float(np.linalg.norm(skeleton.positions[INDEX["pelvis"]]))
        if distance_m > FAR_M:
            return "too_far"
        if 0.3 < distance_m < NEAR_M:  # nearer still is a source whose origin is the body itself
            return "too_near"
    left, right = INDEX["left_shoulder"], INDEX["right_shoulder"]
    turned = seen[left] and seen[right] and skeleton.positions[left, 0] < skeleton.positions[right, 0] - AWAY_M
    return "turned" if turned and position != "supine" else ""


class Placing:
    """Told every frame before the set, in order; times are the cameras', so a replay may run at any speed."""

    def __init__(
        self,
        joints: Sequence[str],
        position: Position,
        every_s: float,
        patience_s: float,
        countdown_s: float,
    ) -> None:
        """every_s: between two hints. patience_s: who is seen for so long, if not well, begins all the same.

        countdown_s: three counts take so long; 0: none.
        """
        self._joints, self._position = joints, position
        self._every_s, self._patience_s, self._count_s = every_s, patience_s, countdown_s / 3
        self._hint = ""
        self._hint_from_s = 0.0
        self._told_s = -np.inf
        self._seen_from_s: float | None = None
        self._good_from_s: float | None = None
        self._counted = 0
        self._counted_s = 0.0
        self.ready = False
        """Whether the set may begin with this frame."""

    def update(self, skeleton: Skeleton, now_s: float) -> tuple[str, str] | None:
        """A cue (`place`, `countdown`) and its hint, where something is to be told now."""
        hint = hint_of(skeleton, self._joints, self._position)
        if skeleton.seen and self._seen_from_s is None:
            self._seen_from_s = now_s
        waited = self._seen_from_s is not None and now_s - self._seen_from_s > self._patience_s
        if hint and not (waited and skeleton.seen):
            return self._wrong(hint, now_s)
        self._hint = ""
        if self._good_from_s is None:
            self._good_from_s = now_s
        if not self._count_s:
            self.ready = True
            return None
        if now_s - self._good_from_s < STEADY_S:
            return None
        return self._count(now_s)

    def _wrong(self, hint: str, now_s: float) -> tuple[str, str] | None:
        if hint != self._hint:
            self._hint, self._hint_from_s = hint, now_s
        if now_s - self._hint_from_s < STEADY_S:
            return None
        if self._counted:
            self._told_s = -np.inf  # who is not counted in any more must not wait to hear why
        self._good_from_s, self._counted = None, 0
        if hint == "nobody":
            self._seen_from_s = None
        if now_s - self._told_s < self._every_s:
            return None
        self._told_s = now_s
        return "place", hint

    def _count(self, now_s: float) -> tuple[str, str] | None:
        if self._counted and now_s - self._counted_s < self._count_s:
            return None
        self._counted_s = now_s
        self._counted += 1
        if self._counted > 3:
            self.ready = True
            return None
        return "countdown", str(4 - self._counted)
