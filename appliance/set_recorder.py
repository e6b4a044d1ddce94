"""Records one set: from the announcement until the patient has finished, left, or cannot be seen any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Literal

import numpy as np

from appliance.capture import Capture, Ended, Item
from appliance.errors import RecordingError
from appliance.orders import Interruption
from appliance.pause import PauseWatch
from appliance.recording.session_writer import SessionWriter
from appliance.set_watch import SetEnd, SetWatch
from appliance.skeleton.standard import Recording, recording_of
from appliance.sync.set_sync import SetSync, SyncQuality
from appliance.track import Skeleton, Track
from hal.errors import DeviceLostError
from hal.types import Gravity

CHECK_S = 0.5
"""Pause, on the camera's clock, between two looks at whether the set is over."""
POLL_S = 0.2

SILENT_S = 60.0
"""A camera that gives no frame for so long, on the host's clock, is lost; the driver's own ladder is quicker."""

RecordingEnd = SetEnd | Interruption | Literal["source_ended", "camera_lost", "disturbed"]

REASONS: Mapping[RecordingEnd, str] = {
    "complete": "the prescribed repetitions were done",
    "left": "the patient left the camera's view",
    "idle": "nobody went on with the exercise",
    "too_long": "the set took longer than is recorded",
    "source_ended": "the replayed recording ended",
    "camera_lost": "the camera was lost",
    "disturbed": "somebody else stayed in view",
    "stopped": "the box was stopped",
    "withdrawn": "the hospital withdrew the prescription",
    "replaced": "the hospital replaced the prescription",
    "expired": "the prescription expired",
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
    sync: SyncQuality = field(default_factory=SyncQuality)
    filled: float = 0.0
    """Share of all joints, over all frames, that the camera did not see well and the worn sensors told."""
    camera_error: str | None = None
    file_error: str | None = None
    """Why the session file is missing or ends early."""
    pause_note: str | None = None
    """That, and why, the set was paused."""

    @classmethod
    def nothing(cls, end: RecordingEnd, camera_error: str | None = None) -> RecordedSet:
        """A set that never came about."""
        now = datetime.now(UTC)
        return cls(end, recording_of(np.zeros(0), np.zeros((0, 17, 3))), 0, 0, now, now, camera_error=camera_error)

    @property
    def begun(self) -> bool:
        """Whether anybody was ever seen."""
        return len(self.recording) > 0

    @property
    def broken_off(self) -> bool:
        """Whether the set ended otherwise than the prescription, or the replay, meant it to."""
        return self.end not in ("complete", "source_ended")


class SetRecorder:
    """One set, once. Nobody seen yet: frames are counted, not kept. From the first person on, all is recorded."""

    def __init__(
        self,
        watch: SetWatch,
        gravity: Gravity,
        open_file: Callable[[], SessionWriter],
        on_change: Callable[[Literal["recording", "paused"]], None],
        longest_pause_s: float,
    ) -> None:
        """open_file: called when the first person is seen; a file the disk refuses is done without.

        on_change: `recording` with the first person and after a pause, `paused` when somebody else is in view, also
        before the set has begun.
        """
        self._watch = watch
        self._open_file, self._on_change, self._longest_pause_s = open_file, on_change, longest_pause_s
        self._pause = PauseWatch()
        self._track = Track(gravity)
        self._file: SessionWriter | None = None
        self._sync = SetSync()
        self._begun = False
        self._frames = 0
        self._checked_ns = 0
        self._lost_error: str | None = None
        self._file_error: str | None = None
        self._started = datetime.now(UTC)

    def record(self, capture: Capture, interruption: Callable[[], Interruption | None]) -> RecordedSet:
        """Returns when the set is over, its session file finished.

        Waiting for the patient has no end but an interruption; a set under way ends for "stopped" and "withdrawn" only.
        """
        end: RecordingEnd | None = None
        heard_s = monotonic()
        while end is None:
            why = interruption()
            if why is not None and (not self._begun or why in ("stopped", "withdrawn")):
                end = why
                continue
            item = capture.next(POLL_S)
            if isinstance(item, Skeleton):
                heard_s = monotonic()
            elif monotonic() - heard_s > SILENT_S:
                item = Ended("camera", DeviceLostError(f"the camera gave nothing for {SILENT_S:.0f} s"))
            end = self._take(item) if item is not None else None
        self._finish_file()
        seen = self._track.recording()
        sync = self._sync.quality(seen)
        fused = self._sync.fused(seen, sync.delay_s)
        return RecordedSet(
            end=end,
            recording=fused.recording,
            frames=self._frames,
            lost=self._track.lost,
            started=self._started,
            ended=datetime.now(UTC),
            sync=sync,
            filled=fused.filled_share,
            camera_error=self._lost_error,
            file_error=self._file_error,
            pause_note=self._pause.note,
        )

    def _write(self, write: Callable[[SessionWriter], object]) -> None:
        """The set goes on without a file on a disk that refuses one."""
        if self._file is None:
            return
        try:
            write(self._file)
        except RecordingError as error:
            self._file_error = str(error)
            self._file.close()
            self._file = None

    def _finish_file(self) -> None:
        self._write(SessionWriter.finish)
        self._file = None

    def _take(self, item: Item) -> RecordingEnd | None:
        if isinstance(item, Ended):
            return self._device_ended(item)
        if isinstance(item, Skeleton):
            return self._take_skeleton(item)
        self._sync.samples(item)
        self._write(lambda file: file.add_imu(item))
        return None

    def _device_ended(self, ended: Ended) -> RecordingEnd | None:
        if ended.device != "camera":
            self._sync.lose_sensors()
            return None
        if ended.error is None:
            return "source_ended"
        self._lost_error = str(ended.error)
        return "camera_lost"

    def _take_skeleton(self, skeleton: Skeleton) -> RecordingEnd | None:
        self._frames += 1
        host_ns = self._sync.frame(skeleton.stamp_ns, skeleton.arrival_ns)
        change = self._pause.update(skeleton)
        if not self._begun:
            if change == "paused":
                self._on_change("paused")
            if self._pause.reason is not None or not skeleton.seen:
                return None
            self._pause, change = PauseWatch(), None  # what was before the set is no part of it
            self._begin(skeleton)
        if self._track.add(skeleton):
            self._sync.keep(host_ns)
        self._write(lambda file: file.add_skeleton(skeleton.stamp_ns, host_ns, skeleton.positions, skeleton.confidence))
        if change is not None:
            self._on_change("paused" if change == "paused" else "recording")
        if self._pause.reason is not None:
            return "disturbed" if self._pause.paused_for_s(skeleton.stamp_ns) > self._longest_pause_s else None
        if (skeleton.stamp_ns - self._checked_ns) / 1e9 < CHECK_S:
            return None
        self._checked_ns = skeleton.stamp_ns
        return self._watch.update(self._track.recording())

    def _begin(self, skeleton: Skeleton) -> None:
        self._begun = True
        self._sync.begin()
        self._started = datetime.now(UTC)
        self._checked_ns = skeleton.stamp_ns
        try:
            self._file = self._open_file()
        except RecordingError as error:
            self._file_error = str(error)
        self._on_change("recording")
