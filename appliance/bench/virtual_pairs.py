"""A virtual patient seen by a camera and worn sensors, with a lag between the two that is known here alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import Recording, recording_of
from appliance.sync.inertial import InertialRecording
from appliance.sync.same_motion import FAR_JOINT
from hal.types import SEGMENTS
from hal.virtual.patient import VirtualPatient

CAMERA_HZ, SENSOR_HZ = 30.0, 96.0
JOINT_NOISE_M = 0.005
"""White, of each coordinate: what a depth camera's tracker shows of somebody near who holds still."""
ACCELERATION_NOISE, GYRO_NOISE, GYRO_BIAS = 0.03, 0.005, 0.005
"""As the synthetic drivers have them; m/s^2 and rad/s."""


@dataclass(frozen=True, slots=True)
class Pair:
    """camera time = sensor time + offset_s. worn: sensor by the far joint of its segment; sensor axes at random."""

    recording: Recording
    worn: dict[str, InertialRecording]
    offset_s: float


def virtual_pair(
    exercise: str, seed: int, offset_s: float, repetitions: int = 1, noise_m: float = JOINT_NOISE_M, loss: float = 0.02
) -> Pair:
    """One set, from a second before to a second after it; stamps jitter by 1 ms and packets are lost on both sides."""
    rng = np.random.default_rng(seed)
    patient = VirtualPatient(seed)
    patient.rest(exercise, "", at_s=-10.0)
    end_s = patient.perform(exercise, "", repetitions, at_s=0.0) + 1.0
    seen_s, felt_s = (_instants(rng, end_s, rate_hz, loss) for rate_hz in (CAMERA_HZ, SENSOR_HZ))
    positions = patient.joints(seen_s)
    positions = positions + noise_m * rng.standard_normal(positions.shape)
    motion = patient.motion(felt_s)
    worn = {}
    for segment, joint in FAR_JOINT.items():
        place, mounting = SEGMENTS.index(segment), _any_rotation(rng)
        noise = rng.standard_normal((2, len(felt_s), 3))
        turning = motion.angular_velocity[:, place] @ mounting + GYRO_BIAS * rng.standard_normal(3)
        felt = motion.acceleration[:, place] @ mounting
        worn[joint] = InertialRecording(
            felt_s - offset_s, turning + GYRO_NOISE * noise[0], felt + ACCELERATION_NOISE * noise[1]
        )
    return Pair(recording_of(seen_s, positions), worn, offset_s)


def _instants(rng: np.random.Generator, end_s: float, rate_hz: float, loss: float) -> NDArray[np.float64]:
    times = np.arange(int(end_s * rate_hz)) / rate_hz
    times = np.sort(times + rng.normal(0.0, 1e-3, len(times)))
    return times[rng.random(len(times)) >= loss]


def _any_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    axes, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    return np.asarray(axes * np.linalg.det(axes))
