"""The stage from a frame to the standard skeleton; and a whole replay of them as a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from appliance.skeleton.adapters import to_standard
from appliance.skeleton.standard import JOINTS, Recording
from appliance.track import CameraRole, Skeleton, Track
from hal.errors import StreamEndedError
from hal.protocols import Camera, PoseEstimator
from hal.types import Absent, AbsentReason, Frame

READ_TIMEOUT_S = 1.0

NO_PERSON: AbsentReason = "no_person"
"""Why: a frame in whose person no standard joint was clear enough counts as one without a person."""


def skeleton_in(frame: Frame, estimator: PoseEstimator, camera: CameraRole = "camera") -> Skeleton:
    """The person in one frame, or a skeleton of which nothing was seen and why."""
    body = estimator.estimate(frame)
    found = Skeleton(
        frame.index,
        frame.stamp_ns,
        frame.arrival_ns,
        np.full((len(JOINTS), 3), np.nan),
        np.zeros(len(JOINTS)),
        absent=body.reason if isinstance(body, Absent) else NO_PERSON,
        camera=camera,
    )
    if isinstance(body, Absent):
        return found
    positions, confidence = to_standard(body)
    if not confidence.any():
        return found
    return replace(found, positions=positions, confidence=confidence, planar=body.planar, absent=None, notes=body.notes)


@dataclass(frozen=True, slots=True)
class PoseResult:
    """recording: every frame of the camera, NaN where nobody was seen.

    reasons: frames without a person, by reason. notes: frames with one, by what could not be checked or was guessed.
    """

    recording: Recording
    reasons: dict[str, int]
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return len(self.recording)

    @property
    def seen(self) -> int:
        return self.frames - sum(self.reasons.values())


def record_pose(
    camera: Camera, estimator: PoseEstimator, on_frame: Callable[[Frame], None] = lambda frame: None
) -> PoseResult:
    """Everything an open camera still delivers until its stream ends, seen by an open estimator.

    Times are seconds since the first frame. Raises `DeviceLostError`.
    """
    track = Track(camera.info.gravity)
    reasons: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    while True:
        try:
            frame = camera.read(READ_TIMEOUT_S)
        except StreamEndedError:
            return PoseResult(track.recording(), dict(reasons), dict(notes))
        if frame is None:
            continue
        skeleton = skeleton_in(frame, estimator)
        if track.add(skeleton):
            reasons.update([skeleton.absent] if skeleton.absent is not None else [])
            notes.update(skeleton.notes)
        on_frame(frame)
