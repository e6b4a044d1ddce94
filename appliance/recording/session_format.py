"""What a session file holds: one exercise's skeleton, IMU streams and events, as JSON messages in an MCAP file (ours).

Topics: `/skeleton` a message a frame, `/second_skeleton` the same of a second camera, `/placement` where that one
stands to the first, as often as that changes; `/imu/<segment>` a message a batch of samples, as columns; `/events` a
message a change of state or a cue (their fields: `session_messages`). The MCAP metadata record `session` says what was
recorded. `log_time` is the host's monotonic clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from appliance.errors import RecordingError
from appliance.fusion.views import View, ViewPlacement
from appliance.skeleton.standard import Recording
from hal.types import Gravity

METADATA = "session"
SKELETON_TOPIC = "/skeleton"
SECOND_SKELETON_TOPIC = "/second_skeleton"
PLACEMENT_TOPIC = "/placement"
IMU_TOPIC = "/imu/"
EVENTS_TOPIC = "/events"
FINISHED = "recording_finished"
"""The event that `SessionWriter.finish` writes last; a file without it was cut short."""

Detail = Mapping[str, str | int | float | bool | None]


def place_of(index: int, exercise: str) -> str:
    """The name of what is kept of a set, in its session's folder, without its ending."""
    return f"{index:02d}_{exercise}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionMetadata:
    """What was recorded, by what. The subject is the hospital's pseudonym; a name never comes into a file."""

    session: str
    index: int
    """Place of the exercise in the session, counted from 0."""
    exercise: str
    started: str
    """ISO 8601 UTC."""
    software: str
    side: str = ""
    reference: str = ""
    """Digest of the reference recording."""
    subject: str = ""
    camera: str = ""
    """Name of the camera, as `DeviceInfo.name`."""
    second_camera: str = ""
    """Likewise; empty where there was none."""
    gravity: Gravity = "camera"
    synthetic: bool = False

    def file_in(self, folder: Path) -> Path:
        """`<folder>/<session>/<nn>_<exercise>.mcap`."""
        return folder / self.session / f"{place_of(self.index, self.exercise)}.mcap"


@dataclass(frozen=True, slots=True)
class SkeletonFrame:
    """One frame of the camera, as `Recording` has it.

    stamp_ns: the camera's clock; host_ns: the same moment on the host's monotonic clock.
    positions: (17, 3) metres, NaN where not seen; confidence: (17,) in 0..1.
    """

    stamp_ns: int
    host_ns: int
    positions: NDArray[np.float64]
    confidence: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ImuStream:
    """One sensor's samples in the order they came; fields as in `ImuSample`, with a first axis (samples,).

    counter, stamp_ns, arrival_ns: int64; acceleration, angular_velocity: (samples, 3) float64;
    orientation: (samples, 4) float64, NaN where the device gave none.
    """

    counter: NDArray[np.int64]
    stamp_ns: NDArray[np.int64]
    arrival_ns: NDArray[np.int64]
    acceleration: NDArray[np.float64]
    angular_velocity: NDArray[np.float64]
    orientation: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A change of state or a cue, at `host_ns` of the host's monotonic clock."""

    host_ns: int
    kind: str
    detail: Detail


@dataclass(frozen=True, slots=True)
class SessionRecording:
    """A session file as read.

    skeleton: as it was scored, but for what worn sensors told: both cameras' views joined, where it is known how they
    stand to each other. None where no frame was recorded. Times are seconds of the camera's own clock since the first
    frame.
    stamp_ns, host_ns: (frames,) int64, its times on the camera's clock and on the host's.
    views: what each camera showed by itself, the first one first. placement: the second one's, None where it was not
    known, or known to be wrong.
    imu: by segment.
    complete: the recording was finished, not cut short.
    damaged: records that were there and could not be read.
    """

    metadata: SessionMetadata
    skeleton: Recording | None
    stamp_ns: NDArray[np.int64]
    host_ns: NDArray[np.int64]
    views: tuple[View, ...]
    placement: ViewPlacement | None
    imu: Mapping[str, ImuStream]
    events: tuple[SessionEvent, ...]
    complete: bool
    damaged: int


def metadata_record(metadata: SessionMetadata) -> dict[str, str]:
    """MCAP metadata holds strings only."""
    return {name: str(value) for name, value in asdict(metadata).items()}


def metadata_of(path: Path, record: Mapping[str, str]) -> SessionMetadata:
    """The way back; what older files do not have has a default. Raises `RecordingError` naming the field."""
    known = [field.name for field in fields(SessionMetadata) if field.name in record]
    missing = [f.name for f in fields(SessionMetadata) if f.default is MISSING and f.name not in record]
    if missing:
        raise RecordingError(f"{path}: its metadata has no {missing[0]!r}; it is no session file of this software")
    values: dict[str, Any] = {"gravity": "camera"} | {name: record[name] for name in known}
    if values["gravity"] not in get_args(Gravity) or not re.fullmatch(r"\d{1,6}", values["index"], re.ASCII):
        raise RecordingError(
            f"{path}: its metadata is damaged: index {values['index']!r}, gravity {values['gravity']!r}"
        )
    return SessionMetadata(**values | {"index": int(values["index"]), "synthetic": values.get("synthetic") == "True"})
