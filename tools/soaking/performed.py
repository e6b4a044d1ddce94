"""Sets that the virtual patient performed once, as skeletons and as what sensors on the body felt, to be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hal.types import SEGMENTS
from hal.virtual.body import STANDARD_17
from hal.virtual.patient import VirtualPatient

CAMERA_HZ, IMU_HZ = 30.0, 50.0
REPETITIONS, TEMPO = 1, 2.0
EXERCISES = (
    ("sit_to_stand", "both"),
    ("shoulder_abduction", "left"),
    ("seated_knee_extension", "right"),
    ("hip_abduction", "left"),
    ("seated_shoulder_flexion", "right"),
)
FILMED = "squat"
"""Its sets are a film: its pictures go through the pose network."""
WORN = ("left_forearm", "right_thigh")
_LEAD_IN_S, _REST_S = 1.0, 3.0


@dataclass(frozen=True, slots=True)
class Performed:
    """positions: (frames, 17, 3) m, at CAMERA_HZ. The rest at IMU_HZ, by sensor of WORN: acceleration m/s^2 and
    angular_velocity rad/s, (samples, worn, 3); orientation (samples, worn, 4)."""

    positions: NDArray[np.float64]
    acceleration: NDArray[np.float64]
    angular_velocity: NDArray[np.float64]
    orientation: NDArray[np.float64]


@cache
def performed(exercise: str, side: str) -> Performed:
    """One set, with a rest before and after."""
    patient = VirtualPatient(seed=7)
    patient.rest(exercise, side, at_s=-10.0)
    end_s = patient.perform(exercise, side, REPETITIONS, 0.0, _LEAD_IN_S, TEMPO) + _REST_S
    worn = [SEGMENTS.index(segment) for segment in WORN]
    motion = patient.motion(np.arange(0.0, end_s, 1.0 / IMU_HZ))
    return Performed(
        patient.joints(np.arange(0.0, end_s, 1.0 / CAMERA_HZ), STANDARD_17),
        motion.acceleration[:, worn],
        motion.angular_velocity[:, worn],
        motion.orientation[:, worn],
    )
