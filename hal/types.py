"""What devices deliver. Every stamp is an integer in nanoseconds; every array says its shape and unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Gravity = Literal["accelerometer", "camera"]
"""Where "up" comes from: the camera's own accelerometer, or merely the camera's own up."""

Layout = Literal["standard_17", "mediapipe_33", "kinect_v2_25", "azure_kinect_32", "coco_17", "coco_18", "h36m_17"]
"""The joint sets a pose source may speak; `appliance.skeleton.adapters` turns each into the standard form."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """Who a device is, as it appears in `doctor`, in `health` and in the birth message."""

    driver: str
    name: str
    rate_hz: float
    """Nominal rate; 0 where the device has none."""
    synthetic: bool = False
    """True where what it delivers was not measured on a person now: made up, or replayed."""
    firmware: str = ""
    gravity: Gravity = "camera"


@dataclass(frozen=True, slots=True)
class Body:
    """One person's joints in one frame, in the axes of its `layout`.

    positions: (joints, 3) float64; metres, or pixels with z = 0 where `planar`. NaN where a joint was not seen.
    confidence: (joints,) float64 in 0..1; 0 where a joint was not seen.
    """

    layout: Layout
    positions: NDArray[np.float64]
    confidence: NDArray[np.float64]
    planar: bool = False
    notes: tuple[str, ...] = ()
    """Codes of what could not be checked or had to be guessed in this frame; see the pose driver."""


AbsentReason = Literal["no_person", "not_a_body", "too_little_depth", "two_people", "not_known_yet", "other_person"]


@dataclass(frozen=True, slots=True)
class Absent:
    """A frame without a patient to measure: a code to count, and what was seen instead, for people."""

    reason: AbsentReason
    detail: str


@dataclass(frozen=True, slots=True)
class Lens:
    """How a camera's picture comes about: a pinhole with Brown-Conrady distortion in its rational form.

    focal, centre: (x, y), pixels; (0, 0) is the middle of the top left pixel.
    distortion: k1, k2, p1, p2, k3, k4, k5, k6 (OpenCV's order; k3 to k6 are radial, p tangential).
    """

    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    distortion: tuple[float, float, float, float, float, float, float, float] = (0.0,) * 8


@dataclass(frozen=True, slots=True)
class MotionSample:
    """One sample of the inertial sensor inside a camera, turned into the camera's axes (x right, y down, z away).

    acceleration: (3,) m/s^2, gravity included: at rest 9.81 along up. angular_velocity: (3,) rad/s.
    """

    acceleration_stamp_ns: int
    acceleration: NDArray[np.float64]
    angular_velocity_stamp_ns: int
    angular_velocity: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frame:
    """One exposure of a camera.

    color: (height, width, 3) uint8 RGB, or None where the device delivers joints only.
    depth: (height, width) uint16 millimetres on the colour picture's pixels, 0 where unknown; or None.
    body: the joints, where the device itself tracks a person.
    lens: the colour picture's, where the device knows it; a depth picture without it cannot be made metric.
    up: (3,) float64 unit vector against gravity in the camera's axes (x right, y down, z away), where measured.
    motion: what the camera's own inertial sensor gave since the frame before.
    """

    index: int
    """The device's own frame counter; a gap in it is a lost frame."""
    stamp_ns: int
    """Device clock: monotonic, of unknown offset and slightly unknown rate."""
    arrival_ns: int
    """Host monotonic clock (`time.monotonic_ns`) when the driver had it; a replay gives the time it replays."""
    color: NDArray[np.uint8] | None = None
    depth: NDArray[np.uint16] | None = None
    body: Body | None = None
    lens: Lens | None = None
    up: NDArray[np.float64] | None = None
    motion: tuple[MotionSample, ...] = ()


@dataclass(frozen=True, slots=True)
class ImuSample:
    """One sample of one body-worn sensor.

    acceleration: (3,) m/s^2, sensor axes, gravity included (at rest about +9.81 along up).
    angular_velocity: (3,) rad/s, sensor axes.
    orientation: (4,) unit quaternion w, x, y, z from sensor to world, or None where the device gives none.
    """

    segment: str
    """Body segment it is worn on: one of `SEGMENTS`."""
    counter: int
    """The sensor's own sample counter; a gap in it is a lost sample."""
    stamp_ns: int
    arrival_ns: int
    acceleration: NDArray[np.float64]
    angular_velocity: NDArray[np.float64]
    orientation: NDArray[np.float64] | None = None


SEGMENTS = (
    "head",
    "left_shoulder_blade", "right_shoulder_blade",
    "upper_back", "lower_back",
    "left_arm", "right_arm",
    "left_forearm", "right_forearm",
    "left_hand", "right_hand",
    "left_thigh", "right_thigh",
    "left_calf", "right_calf",
    "left_foot", "right_foot",
)  # fmt: skip
"""The seventeen places FineRehab wears a sensor (CVPRW 2024, section 3)."""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a driver says never reached its reader since `open`, where it counts nothing else."""

    lost: int = 0
    """Frames or samples that the device took and that did not arrive."""
    dropped: int = 0
    """Frames or samples that arrived, and that nobody read in time."""


CueKind = Literal[
    "setup", "waiting", "ready", "place", "countdown", "recording", "beat_start", "beat_turn", "beat_end", "paused",
    "scoring", "done", "question", "pressed", "noted", "abandoned", "fault", "help",
]  # fmt: skip

HINTS: Mapping[CueKind, tuple[str, ...]] = {
    "place": ("nobody", "partly", "too_near", "too_far", "turned", "alone"),
    "countdown": ("3", "2", "1"),
    "question": ("pain", "pain_button", "effort", "effort_button", "all_right", "again", "changed"),
    "noted": ("yes", "no", "easy", "right", "hard", "unanswered"),
    "abandoned": ("stopped", "limit", "no_response"),
    "fault": ("camera",),
    "help": ("fall", "no_response"),
}
"""What a cue may be about in particular: its `detail["hint"]`. A cue without one stands for itself."""
WORDLESS: tuple[CueKind, ...] = ("beat_start", "beat_turn", "beat_end", "pressed")
"""Cues in the middle of a movement, or of an answer by the button: a tone and a flash, and no words."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What the box tells the patient: a state, and the exercise it is about.

    `detail["number"]` of `ready`: which of the prescription's exercises, from 1. A guided movement is no exercise: its
    cues have none, and their `detail["step"]` names what to do.
    """

    kind: CueKind
    exercise: str = ""
    side: str = ""
    repetitions: int = 0
    detail: dict[str, str] = field(default_factory=dict)

    @property
    def hint(self) -> str:
        """One of `HINTS`; empty without."""
        return self.detail.get("hint", "")
