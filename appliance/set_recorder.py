"""Records one set: from the announcement until the patient has finished, left, or cannot be seen any more."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from appliance.capture import Capture, Ended, Item
from appliance.recording.session_writer import SessionWriter
from appliance.set_watch import SetEnd, SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import Recording, recording_of
from appliance.sync.clocks import DeviceClock
from appliance.track import Skeleton, Track
from hal.types import Gravity

CHECK_S = 0.5
"""Pause, on the camera's clock, between two looks at whether the set is over."""
POLL_S = 0.2

RecordingEnd = SetEnd | Literal["source_ended", "camera_lost", "stopped"]

REASONS: Mapping[RecordingEnd, str] = {
    "complete": "the prescribed repetitions were done",
    "left": "the patient left the camera's view",
    "idle": "nobody went on with the exercise",
    "too_long": "the set took longer than is recorded",
    "source_ended": "the replayed recording ended",
    "camera_lost": "the camera was lost",
    "stopped": "the box was stopped",
}


@dataclass(frozen=True, slots=True)
class RecordedSet:
    """What came of a set. `recording` is empty where nobody was ever seen; `frames` counts all that the camera gave."""

    end: RecordingEnd
    recording: Recording
    frames: int
    lost: int
    started: datetime
    ended: datetime
    sync_error_ms: float | None = None
    camera_error: str | None = None

    @classmethod
    def nothing(cls, camera_error: str | None = None) -> RecordedSet:
        """A set that never came about."""
        now = datetime.now(UTC)
        empty = recording_of(np.zeros(0), np.zeros((0, 17, 3)))
        return cls("camera_lost" if camera_error else "source_ended", empty, 0, 0, now, now, None, camera_error)

    @property
    def broken_off(self) -> bool:
        """Whether the set ended otherwise than the prescription, or the replay, meant it to."""
        return self.end not in ("complete", "source_ended")


class SetRecorder:
    """One set, once. Nobody seen yet: frames are counted, not kept. From the first person on, all is recorded."""

    def __init__(
        self,
        watch: SetWatch,
        settings: SessionSettings,
        gravity: Gravity,
        open_file: Callable[[], SessionWriter],
        on_begin: Callable[[], None],
    ) -> None:
        """open_file, on_begin: called when the first person is seen."""
        self._watch, self._settings = watch, settings
        self._open_file, self._on_begin = open_file, on_begin
        self._track = Track(gravity)
        self._file: SessionWriter | None = None
        self._clocks: dict[str, DeviceClock] = {}
        self._frames = 0
        self._first_ns = 0
        self._checked_ns = 0
        self._lost_error: str | None = None
        self._started = datetime.now(UTC)

    def record(self, capture: Capture, stopping: threading.Event) -> RecordedSet:
        """Returns when the set is over; the file stays open for `file`. Raises `RecordingError` on a full disk."""
        end: RecordingEnd | None = None
        while end is None:
            if stopping.is_set():
                end = "stopped"
                break
            item = capture.next(POLL_S)
            end = self._take(item) if item is not None else None
        return RecordedSet(
            end=end,
            recording=self._track.recording(),
            frames=self._frames,
            lost=self._track.lost,
            started=self._started,
            ended=datetime.now(UTC),
            sync_error_ms=self._sync_error_ms(),
            camera_error=self._lost_error,
        )

    @property
    def file(self) -> SessionWriter | None:
        """The session file, where one was begun."""
        return self._file

    def _take(self, item: Item) -> RecordingEnd | None:
        if isinstance(item, Ended):
            return self._device_ended(item)
        if isinstance(item, Skeleton):
            return self._take_skeleton(item)
        for sample in item:
            self._clock(sample.segment).update(sample.stamp_ns, sample.arrival_ns)
        if self._file is not None:
            self._file.add_imu(item)
        return None

    def _device_ended(self, ended: Ended) -> RecordingEnd | None:
        if ended.device != "camera":
            self._clocks = {name: clock for name, clock in self._clocks.items() if name == "camera"}
            return None
        if ended.error is None:
            return "source_ended"
        self._lost_error = str(ended.error)
        return "camera_lost"

    def _take_skeleton(self, skeleton: Skeleton) -> RecordingEnd | None:
        if not self._frames:
            self._first_ns = self._checked_ns = skeleton.stamp_ns
        self._frames += 1
        clock = self._clock("camera")
        clock.update(skeleton.stamp_ns, skeleton.arrival_ns)
        if self._file is None:
            if not skeleton.seen:
                waited_s = (skeleton.stamp_ns - self._first_ns) / 1e9
                return "idle" if waited_s > self._settings.idle_s else None
            self._started = datetime.now(UTC)
            self._file = self._open_file()
            self._on_begin()
        self._track.add(skeleton)
        host_ns = clock.to_host_ns(skeleton.stamp_ns)
        self._file.add_skeleton(skeleton.stamp_ns, host_ns, skeleton.positions, skeleton.confidence)
        if (skeleton.stamp_ns - self._checked_ns) / 1e9 < CHECK_S:
            return None
        self._checked_ns = skeleton.stamp_ns
        return self._watch.update(self._track.recording())

    def _clock(self, device: str) -> DeviceClock:
        return self._clocks.setdefault(device, DeviceClock())

    def _sync_error_ms(self) -> float | None:
        """The worst of the devices' own estimates; None for the camera alone, which is in step with itself."""
        worst = max((clock.error_ms for clock in self._clocks.values()), default=math.inf)
        return worst if len(self._clocks) > 1 and math.isfinite(worst) else None
