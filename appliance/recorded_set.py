"""What came of one set, and why it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.orders import Interruption
from appliance.set_guide import GuideEnd
from appliance.set_watch import SetEnd
from appliance.skeleton.standard import Recording, recording_of
from appliance.sync.set_sync import SyncQuality
from appliance.track import CameraRole

RecordingEnd = SetEnd | Interruption | GuideEnd | Literal["source_ended", "camera_lost", "disturbed"]

REASONS: Mapping[RecordingEnd, str] = {
    "complete": "the prescribed repetitions were done",
    "left": "the patient left the camera's view",
    "idle": "nobody went on with the exercise",
    "too_long": "the set took longer than is recorded",
    "source_ended": "the replayed recording ended",
    "camera_lost": "the camera was lost",
    "patient_stopped": "the patient stopped",
    "limit_exceeded": "a movement went beyond its limit",
    "fall_suspected": "the patient seems to have fallen",
    "no_response": "the patient did not respond",
    "disturbed": "somebody else stayed in view",
    "stopped": "the box was stopped",
    "withdrawn": "the hospital withdrew the prescription",
    "replaced": "the hospital replaced the prescription",
    "expired": "the prescription expired",
    "called": "the hospital asked for something else first",
}


@dataclass(frozen=True, slots=True)
class RecordedSet:
    """What came of a set. recording: empty where nobody was ever seen.

    awaiting: frames that the cameras gave until it began. frames: those recorded, of all cameras.
    """

    end: RecordingEnd
    recording: Recording
    awaiting: int
    frames: int
    lost: int
    started: datetime
    ended: datetime
    sync: SyncQuality = field(default_factory=SyncQuality)
    filled: float = 0.0
    """Share of all joints, over all frames, that no camera saw well and the worn sensors told."""
    bones: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """What the worn sensors' fusion learnt of this person, for the sets to come: `Fused.bones`."""
    cameras_lost: Mapping[CameraRole, str] = field(default_factory=dict)
    """Those that were away at the end, and why."""
    file_error: str | None = None
    """Why the session file is missing or ends early."""
    what: str = ""
    """What exactly ended it, where `end` does not say it all."""
    notes: tuple[str, ...] = ()
    """What a reader of the result must know: that it was paused, that views could not be joined."""

    @classmethod
    def nothing(cls, end: RecordingEnd, cameras_lost: Mapping[CameraRole, str] | None = None) -> RecordedSet:
        """A set that never came about."""
        now = datetime.now(UTC)
        return cls(
            end, recording_of(np.zeros(0), np.zeros((0, 17, 3))), 0, 0, 0, now, now, cameras_lost=cameras_lost or {}
        )

    @property
    def begun(self) -> bool:
        """Whether anybody was ever seen."""
        return len(self.recording) > 0

    @property
    def broken_off(self) -> bool:
        """Whether the set ended otherwise than the prescription, or the replay, meant it to."""
        return self.end not in ("complete", "source_ended")
