"""Records one set: from the announcement until the patient has finished, left, or cannot be seen any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from appliance.capture import Capture, Ended, Item
from appliance.fusion.views import View
from appliance.orders import Interruption
from appliance.pause import PauseWatch
from appliance.recorded_set import RecordedSet, RecordingEnd
from appliance.recording.session_writer import SessionWriter
from appliance.set_file import SetFile
from appliance.set_guide import SetGuide, Tell
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.sync.set_sync import SetSync
from appliance.track import CameraRole, Skeleton
from hal.errors import DeviceLostError, HalError

CHECK_S = 0.5
"""Pause, on the cameras' clocks, between two looks at whether the set is over."""
POLL_S = 0.2

SILENT_S = 60.0
"""Cameras that give no frame for so long, on the host's clock, are lost; the driver's own ladder is quicker."""


class SetRecorder:
    """One set, once. Until the patient is in place, frames are counted, not kept. From "go" on, all is recorded."""

    def __init__(
        self,
        watch: SetWatch,
        views: SetViews,
        open_file: Callable[[], SessionWriter],
        tell: Tell,
        longest_pause_s: float,
        bones: Mapping[str, NDArray[np.float64]] | None = None,
        guide: SetGuide | None = None,
    ) -> None:
        """open_file: called when the first person is seen. bones: what this patient's sets before learnt.

        guide: leads the patient to their place, and ends the set for their sake or by their wish; without one it begins
        with whoever is seen. tell: is told
        `recording` when the set begins and after a pause, `paused` when somebody else is in view, also before it.
        """
        self._watch = watch
        self._file = SetFile(open_file)
        self._guide, self._tell, self._longest_pause_s = guide, tell, longest_pause_s
        self._pause = PauseWatch()
        self._views, self._bones = views, bones
        self._gone: dict[CameraRole, HalError | None] = {}
        self._sync = SetSync()
        self._begun = False
        self._asked_after: int | None = None
        """Nobody moves, and they are asked whether they are all right: after so many complete repetitions."""
        self._awaiting = 0
        self._checked_ns = 0
        self._started_s = monotonic()

    def record(self, capture: Capture, interruption: Callable[[], Interruption | None]) -> RecordedSet:
        """Returns when the set is over. Its session file is finished then, also where a fault of our own ends it.

        Waiting for the patient has no end but an interruption; a set under way ends for "stopped" and "withdrawn" only.
        """
        try:
            end = self._until_over(capture, interruption)
            joined = self._joined()
        finally:
            self._file.finish()
        on_host = replace(joined.recording, times=joined.host_s)
        sync = self._sync.quality(on_host)
        fused = self._sync.fused(on_host, sync.delay_s, self._bones)
        ended = datetime.now(UTC)  # the clock may have been set meanwhile, and is rather right now than before
        return RecordedSet(
            end=end,
            recording=replace(fused.recording, times=joined.recording.times),
            awaiting=self._awaiting,
            frames=self._views.frames,
            lost=self._views.lost,
            started=ended - timedelta(seconds=monotonic() - self._started_s),
            ended=ended,
            sync=sync,
            filled=fused.filled_share,
            bones=fused.bones,
            cameras_lost={role: str(error) for role, error in self._gone.items() if error is not None},
            file_error=self._file.error,
            what=self._guide.what if self._guide is not None else "",
            notes=self._notes(),
        )

    def _until_over(self, capture: Capture, interruption: Callable[[], Interruption | None]) -> RecordingEnd:
        end: RecordingEnd | None = None
        heard_s = monotonic()
        while end is None:
            why = interruption()
            if why is not None and (not self._begun or why in ("stopped", "withdrawn")):
                return why
            if self._guide is not None and (pressed := self._guide.pressed()) is not None:
                return pressed
            item = capture.next(POLL_S)
            if isinstance(item, Skeleton):
                heard_s = monotonic()
            elif monotonic() - heard_s > SILENT_S:
                silent = DeviceLostError(f"the camera gave nothing for {SILENT_S:.0f} s")
                self._gone = dict.fromkeys(self._views.cameras, silent)
                return "camera_lost"
            end = self._take(item) if item is not None else None
        return end

    def _notes(self) -> tuple[str, ...]:
        unused = [
            f"{role.replace('_', ' ')} not used: {error}"
            for role, error in self._gone.items()
            if error is not None and not isinstance(error, DeviceLostError)  # of losses its condition tells more
        ]
        return tuple(note for note in (*unused, self._pause.note, self._views.note) if note is not None)

    def _take(self, item: Item) -> RecordingEnd | None:
        if isinstance(item, Ended):
            return self._device_ended(item)
        if isinstance(item, Skeleton):
            return self._take_skeleton(item)
        self._sync.samples(item)
        self._file.add_imu(item)
        return None

    def _device_ended(self, ended: Ended) -> RecordingEnd | None:
        if ended.device == "imu":
            self._sync.lose_sensors()
            return None
        self._gone[ended.device] = ended.error
        if len(self._gone) < len(self._views.cameras):
            return None
        return "camera_lost" if all(self._gone.values()) else "source_ended"

    def _take_skeleton(self, skeleton: Skeleton) -> RecordingEnd | None:
        self._gone.pop(skeleton.camera, None)
        host_ns = self._sync.frame(skeleton.stamp_ns, skeleton.arrival_ns, skeleton.camera)
        skeleton = self._views.admitted(skeleton)
        leads = self._views.leads(skeleton, host_ns)
        change = self._pause.update(replace(skeleton, stamp_ns=host_ns)) if leads else None
        if not self._begun:
            self._awaiting += 1
            if change == "paused":
                self._tell("paused", "")
            if self._pause.reason is not None or not leads:
                return None
            ready = self._guide.ready(skeleton, host_ns / 1e9) if self._guide is not None else skeleton.seen
            if not isinstance(ready, bool):
                return ready
            if not ready:
                return None
            self._pause, change = PauseWatch(), None  # what was before the set is no part of it
            self._begin(host_ns)
        self._views.add(skeleton, host_ns)
        self._file.add_skeleton(skeleton, host_ns)
        if change is not None:
            self._tell("paused" if change == "paused" else "recording", "")
        if leads and self._guide is not None:
            ended = self._guide.watch(skeleton, host_ns / 1e9, self._pause.reason is not None)
            if ended is not None:
                return ended
            if self._asked_after is not None and self._pause.reason is None:
                answer = self._guide.answered(skeleton, host_ns / 1e9)
                if answer is not None:
                    return "idle" if answer else "no_response"
        if self._pause.reason is not None:
            return "disturbed" if self._pause.paused_for_s(host_ns) > self._longest_pause_s else None
        if (host_ns - self._checked_ns) / 1e9 < CHECK_S:
            return None
        self._checked_ns = host_ns
        end = self._watch.update(self._joined().recording)
        if self._guide is None or end not in ("idle", None):
            return end
        if end == "idle":
            if self._asked_after is None:
                self._asked_after = self._watch.complete  # who is all right says so, and is left in peace
        elif self._asked_after is not None and self._watch.complete > self._asked_after:
            self._asked_after = None
            self._guide.went_on()
        return None

    def _joined(self) -> View:
        """All so far; the file tells how it was joined."""
        joined = self._views.joined()
        self._file.add_placement(self._views.placement, self._checked_ns)
        return joined

    def _begin(self, host_ns: int) -> None:
        self._begun = True
        self._sync.begin()
        self._started_s = monotonic()
        self._checked_ns = host_ns
        self._file.begin()
        self._tell("recording", "")
