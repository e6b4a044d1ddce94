"""Where each sensor points over time: from the device's own estimate, or from its raw signals by VQF.

VQF: Laidig & Seel, "VQF: Highly Accurate IMU Orientation Estimation with Bias Estimation and Magnetic Disturbance
Rejection", Information Fusion 91, 2023. No magnetometer is used: at home, steel beds and radiators bend the field, and
the heading is corrected against the camera anyway (`appliance.fusion.wearing`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from vqf import VQF

from appliance.sync.grid import orientations_at
from hal.types import ImuSample

_LONGEST_FILLED_S = 10.0
"""So long the filter is fed interpolated signals while none come: its heading is then wrong, not its inclination."""
_LEAST_SAMPLES = 10

_Y_UP_FROM_Z_UP = Rotation.from_euler("x", -90.0, degrees=True)


@dataclass(frozen=True, slots=True)
class SensorTrack:
    """One sensor's orientation over time.

    times: (n,) float64, seconds, strictly increasing, on the camera recording's axis.
    orientation: (n, 4) unit quaternions w, x, y, z from the sensor's axes to a world with y up, of unknown heading.
    """

    times: NDArray[np.float64]
    orientation: NDArray[np.float64]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rotation matrices (len(times), 3, 3), sensor to world, by slerp; NaN outside the track and in its gaps."""
        matrices = np.full((len(times), 3, 3), np.nan)
        orientation = orientations_at(self.times, self.orientation, times)
        known = np.isfinite(orientation).all(axis=1)
        matrices[known] = Rotation.from_quat(np.roll(orientation[known], -1, axis=1)).as_matrix()
        return matrices


class OrientationFilter:
    """VQF for one sensor, fed as samples come; constant memory. Lost samples are interpolated: VQF wants even steps."""

    def __init__(self, rate_hz: float) -> None:
        self._step_s = 1.0 / rate_hz
        self._vqf = VQF(self._step_s)
        self._last: NDArray[np.float64] | None = None  # time, acceleration, angular velocity

    def update(
        self, times: NDArray[np.float64], acceleration: NDArray[np.float64], angular_velocity: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """times: (n,) s, increasing, after all before; (n, 3) m/s^2; (n, 3) rad/s -> (n, 4) w, x, y, z, y up."""
        given = np.column_stack([times, acceleration, angular_velocity])
        known = given if self._last is None else np.vstack([self._last, given])
        steps = np.diff(known[:, 0])
        counts = np.maximum(np.rint(steps / self._step_s).astype(np.intp), 1)
        counts[steps > _LONGEST_FILLED_S] = 1
        places = np.concatenate([[0], np.cumsum(counts)])
        even = np.column_stack([np.interp(np.arange(places[-1] + 1), places, column) for column in known[:, 1:].T])
        if self._last is not None:
            even, places = even[1:], places[1:] - 1
        self._last = given[-1]
        estimate = self._vqf.updateBatch(np.ascontiguousarray(even[:, 3:]), np.ascontiguousarray(even[:, :3]))
        turns = Rotation.from_quat(np.roll(estimate["quat6D"][places], -1, axis=1))
        return np.roll((_Y_UP_FROM_Z_UP * turns).as_quat(), 1, axis=1)


def sensor_tracks(samples: Iterable[tuple[float, ImuSample]]) -> dict[str, SensorTrack]:
    """The track of each sensor, by segment, from its samples, each with its time in s on the camera recording's axis.

    Samples may come in any order; a time that occurs twice counts once. A sensor that gives an orientation is
    believed, one that gives raw signals goes through VQF, one that gave neither, or hardly anything, is left out.
    """
    by_segment: dict[str, list[tuple[float, ImuSample]]] = {}
    for time_s, sample in samples:
        by_segment.setdefault(sample.segment, []).append((time_s, sample))
    tracks = {}
    for segment, given in by_segment.items():
        times, first = np.unique([time for time, _ in given], return_index=True)
        chosen = [given[index][1] for index in first]
        tracks[segment] = track_of(
            times,
            np.array([sample.acceleration for sample in chosen]),
            np.array([sample.angular_velocity for sample in chosen]),
            np.array([(np.nan,) * 4 if sample.orientation is None else sample.orientation for sample in chosen]),
        )
    return {segment: track for segment, track in tracks.items() if track is not None}


def track_of(
    times: NDArray[np.float64],
    acceleration: NDArray[np.float64],
    angular_velocity: NDArray[np.float64],
    orientation: NDArray[np.float64],
) -> SensorTrack | None:
    """One sensor's, as `sensor_tracks`; None where it gave hardly anything.

    times: (n,) s, strictly increasing; (n, 3) m/s^2; (n, 3) rad/s; (n, 4) w, x, y, z. NaN where it gave none.
    """
    lengths = np.linalg.norm(orientation, axis=1)
    told = np.abs(lengths - 1.0) < 0.1
    if told.any():
        track = SensorTrack(times[told], orientation[told] / lengths[told, None])
        return track if len(track.times) >= _LEAST_SAMPLES else None
    told = np.isfinite(acceleration).all(axis=1) & np.isfinite(angular_velocity).all(axis=1)
    times = times[told]
    if len(times) < _LEAST_SAMPLES:
        return None
    rate_hz = 1.0 / float(np.median(np.diff(times)))
    return SensorTrack(times, OrientationFilter(rate_hz).update(times, acceleration[told], angular_velocity[told]))
