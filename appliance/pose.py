"""The stage from a camera to a recording: each frame's person, in the standard form, on the camera's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from appliance.skeleton.adapters import to_standard
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from hal.errors import StreamEndedError
from hal.protocols import Camera, PoseEstimator
from hal.types import Absent, Frame

READ_TIMEOUT_S = 1.0

NO_PERSON = "no_person"
"""A frame in whose person no standard joint was clear enough counts as one without a person."""


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
    stamps: list[int] = []
    positions, confidences = [], []
    reasons: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    planar = False
    while True:
        try:
            frame = camera.read(READ_TIMEOUT_S)
        except StreamEndedError:
            break
        if frame is None:
            continue
        joints, confidence = np.full((len(JOINTS), 3), np.nan), np.zeros(len(JOINTS))
        body = estimator.estimate(frame)
        if isinstance(body, Absent):
            reasons[body.reason] += 1
        else:
            joints, confidence = to_standard(body)
            planar = planar or body.planar
            if confidence.any():
                notes.update(body.notes)
            else:
                reasons[NO_PERSON] += 1
        stamps.append(frame.stamp_ns)
        positions.append(joints)
        confidences.append(confidence)
        on_frame(frame)
    recording = recording_of(
        np.array([stamp - stamps[0] for stamp in stamps]) / 1e9,
        np.array(positions).reshape(-1, len(JOINTS), 3),
        np.array(confidences).reshape(-1, len(JOINTS)),
        planar=planar,
        gravity=camera.info.gravity,
    )
    return PoseResult(recording, dict(reasons), dict(notes))
