"""Decides from what has been seen so far whether the patient's set is over, and why; by frames only, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.errors import RehabBoxError
from appliance.segmentation.repetitions import Repetition, find_repetitions
from appliance.settings import SessionSettings
from appliance.skeleton.standard import Recording

BLIND_S = 1.0
"""A longer pause between two frames is the cameras' (ours)."""

SetEnd = Literal["complete", "left", "idle", "too_long"]


class SetWatch:
    """Asked now and then with the recording so far; times are its own, so a replay may run at any speed (ours)."""

    def __init__(self, prescribed: int, joints: Sequence[str], settings: SessionSettings) -> None:
        self._prescribed = prescribed
        self._joints = joints
        self._settings = settings
        self.repetitions: list[Repetition] = []

    @property
    def complete(self) -> int:
        """How many repetitions have been done wholly."""
        return sum(repetition.complete for repetition in self.repetitions)

    def update(self, recording: Recording) -> SetEnd | None:
        """The reason why the set is over, or None while it goes on."""
        if len(recording) < 2:
            return None
        times = recording.times
        if times[-1] - times[0] > self._settings.longest_s:
            return "too_long"
        watched = _watched_s(times)
        seen = np.flatnonzero((recording.confidence > 0).any(axis=1))
        if len(seen) and watched[-1] - watched[seen[-1]] > self._settings.absent_s:
            return "left"
        try:
            self.repetitions = find_repetitions(recording, self._joints)
        except RehabBoxError:
            self.repetitions = []  # too little seen yet to say anything
        moved_at = self.repetitions[-1].end_s if self.repetitions else times[0]
        rested_s = float(watched[-1] - np.interp(moved_at, times, watched))
        under_way = bool(self.repetitions) and not self.repetitions[-1].complete
        if self.complete >= self._prescribed and not under_way and rested_s >= self._settings.settle_s:
            return "complete"
        return "idle" if rested_s > self._settings.idle_s else None


def _watched_s(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(frames,): how long the cameras have looked by then. While they are away nobody knows what the patient does."""
    steps = np.diff(times, prepend=times[0])
    return np.asarray(np.cumsum(np.where(steps > BLIND_S, 0.0, steps)))
