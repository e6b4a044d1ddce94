"""Somebody else in view: the set pauses, says so, and goes on when the patient is alone again (times: ours)."""

from __future__ import annotations

from typing import Literal

from appliance.track import Skeleton
from hal.types import AbsentReason

PAUSE_AFTER_S = 1.0
"""A helper who crosses the view is quicker; a doubtful frame is no reason to disturb an exercise."""
RESUME_AFTER_S = 1.0

Change = Literal["paused", "resumed"]

DISTURBING: tuple[AbsentReason, ...] = ("two_people", "other_person")
_WORDS: dict[AbsentReason, str] = {
    "two_people": "a second person was in view",
    "other_person": "another person than the one who began was in view",
}


class PauseWatch:
    """Told every frame of a set, in order; times are the camera's."""

    def __init__(self) -> None:
        self.reason: AbsentReason | None = None
        """Why the set is paused; None while it is not."""
        self._reasons: set[AbsentReason] = set()
        self._times = 0
        self._paused_ns = 0
        self._from_ns = 0
        self._change_since_ns: int | None = None
        self._newest_ns = 0

    def update(self, skeleton: Skeleton) -> Change | None:
        """What changes with this frame. Frames in which nobody at all is seen change nothing."""
        disturbed = skeleton.absent in DISTURBING
        if not disturbed and not skeleton.seen:
            return None
        silent_s = (skeleton.stamp_ns - self._newest_ns) / 1e9
        self._newest_ns = skeleton.stamp_ns
        if silent_s > PAUSE_AFTER_S:
            self._change_since_ns = None  # two doubtful frames far apart are not one long disturbance
        if disturbed == (self.reason is not None):
            self._change_since_ns = None
            return None
        if self._change_since_ns is None:
            self._change_since_ns = skeleton.stamp_ns
        waited_s = (skeleton.stamp_ns - self._change_since_ns) / 1e9
        if waited_s < (PAUSE_AFTER_S if disturbed else RESUME_AFTER_S):
            return None
        self._change_since_ns = None
        if disturbed:
            assert skeleton.absent is not None
            self.reason = skeleton.absent
            self._reasons.add(skeleton.absent)
            self._times += 1
            self._from_ns = skeleton.stamp_ns
            return "paused"
        self.reason = None
        self._paused_ns += skeleton.stamp_ns - self._from_ns
        return "resumed"

    def paused_for_s(self, stamp_ns: int) -> float:
        """How long the pause under way has lasted; 0 without one."""
        return (stamp_ns - self._from_ns) / 1e9 if self.reason is not None else 0.0

    @property
    def note(self) -> str | None:
        """What a reader of the result must know; None where nothing happened."""
        if not self._times:
            return None
        paused_s = self._paused_ns / 1e9 + self.paused_for_s(self._newest_ns)
        why = " and ".join(_WORDS[reason] for reason in sorted(self._reasons))
        return f"paused {self._times} x, {paused_s:.1f} s in all: {why}"
