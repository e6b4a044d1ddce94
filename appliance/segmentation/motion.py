"""What moves in a recording, as a path in one to three dimensions: the joints' travel along their main directions.

Everything here is ours: neither HS-BTW nor FineRehab says how a set is cut into repetitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter

from appliance.errors import NotScorableError
from appliance.skeleton.standard import INDEX, JOINTS, Recording

Floats = NDArray[np.float64]

GRID_HZ = 20.0
"""Rate of the analysis at most: a repetition of 0.8 s still has 16 frames, and three minutes cost few milliseconds."""
SPIKE_S = 0.125
"""A running median over this long to both sides takes out what a tracker sees for a frame or two only."""
SMOOTHING_S = 0.08
"""Gaussian; well below the 0.4 s that the quickest half repetition takes."""
SEEN = 0.5
"""A joint takes part when it was seen in this share of the frames, the limit that scoring sets to a recording."""
JUMP_PER_S = 5.0
"""Body radii a second (about 2 m/s) within one frame and ..."""
JUMP_ALONE = 3.0
"""... this many times the speed around it: not a limb, which is fast for several frames, but a tracker that mistook
another thing for the joint."""
DISTRUST = 4
"""A joint counts by the share of its path that is not jumps, to this power: half jumps leave it a sixteenth."""
COMPANION = 0.7
"""A further direction is followed when it moves nearly as much as the first, as when left and right alternate."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A recording reduced to its main movement, on a uniform grid.

    times: (frames,) float64, seconds, the recording's own axis.
    path: (frames, k) float64, k in 1..3, metres: the trusted joints' positions along the main directions of movement.
    beside: (frames, n) float64, k + n <= 3, metres: the same along the directions that come next.
    joints: (frames, j, 3) float64, metres: the joints themselves, gaps bridged, smoothed.
    noise: standard deviation of one unsmoothed frame of the path, metres, were its unsteadiness white noise.
    body: radius of the body, metres: RMS distance of the seen joints from their centre (about 0.45 in an adult).
    """

    times: Floats
    path: Floats
    beside: Floats
    joints: Floats
    noise: float
    body: float

    @property
    def rate_hz(self) -> float:
        return float((len(self.times) - 1) / (self.times[-1] - self.times[0]))


def main_motion(recording: Recording, joints: Sequence[str] | None = None) -> Motion:
    """The movement of `joints` (default: all that were seen).

    Raises `NotScorableError` with fewer than two frames, with none of the joints seen in half of the frames, and where
    nearly all frames between the first and the last are missing.
    """
    if len(recording) < 2:
        raise NotScorableError(f"the recording has {len(recording)} frame(s): no movement can be found in it")
    seen = np.isfinite(recording.positions).all(axis=2)
    wanted = range(len(JOINTS)) if joints is None else [INDEX[name] for name in joints]
    used = [index for index in wanted if seen[:, index].mean() >= SEEN]
    if not used:
        raise NotScorableError("none of the joints was seen in half of the recording's frames: no movement to follow")
    rate = min(GRID_HZ, recording.rate_hz)
    if recording.duration_s * rate > 20 * len(recording):
        raise NotScorableError(
            f"the recording has {len(recording)} frames in {recording.duration_s:.0f} s, nearly all are missing: "
            "check its time stamps"
        )
    times = np.linspace(recording.times[0], recording.times[-1], int(recording.duration_s * rate) + 2)
    raw = np.stack([_resampled(recording, index, seen[:, index], times) for index in used], axis=1)
    steady = median_filter(raw, (2 * int(SPIKE_S * rate) + 1, 1, 1), mode="nearest")
    body = _radius(recording.positions)
    trust = _trust(steady, JUMP_PER_S * body / rate, rate)
    smooth = gaussian_filter1d(steady, SMOOTHING_S * rate, axis=0, mode="nearest")
    trusted = (smooth * trust).reshape(len(times), -1)
    directions, next_ones = _directions(np.gradient(trusted, axis=0))
    return Motion(
        times=times,
        path=trusted @ directions,
        beside=trusted @ next_ones,
        joints=smooth,
        noise=_white_noise((raw * trust).reshape(len(times), -1) @ directions[:, 0]),
        body=body,
    )


def _resampled(recording: Recording, joint: int, seen: NDArray[np.bool_], times: Floats) -> Floats:
    """One joint on the grid, (frames, 3), straight lines across its gaps."""
    known, positions = recording.times[seen], recording.positions[seen, joint]
    return np.stack([np.interp(times, known, positions[:, axis]) for axis in range(3)], axis=1)


def _radius(positions: Floats) -> float:
    """Median over some 200 frames, by the joints seen in each."""
    positions = positions[np.isfinite(positions).all(axis=2).sum(axis=1) >= 2]
    positions = positions[:: len(positions) // 200 + 1]
    if not len(positions):
        return 0.0
    away = positions - np.nanmean(positions, axis=1, keepdims=True)
    return float(np.median(np.sqrt(np.nanmean((away**2).sum(axis=2), axis=1))))


def _trust(joints: Floats, jump: float, rate: float) -> Floats:
    """Weight of every joint, (j, 1) in 0..1; `jump` in metres a frame."""
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=2)
    around = median_filter(steps, (2 * int(1.5 * SPIKE_S * rate) + 1, 1), mode="nearest")
    jumps = np.where((steps > jump) & (steps > JUMP_ALONE * around), steps, 0.0)
    path = np.maximum(steps.sum(axis=0), np.finfo(np.float64).tiny)
    weight: Floats = (1.0 - jumps.sum(axis=0) / path) ** DISTRUST
    return weight[:, None]


def _directions(velocity: Floats) -> tuple[Floats, Floats]:
    """Main directions of movement, (coordinates, k) orthonormal, and those that come next, three at most together.

    Principal axes of the velocity, not of the position, so that a patient who shifts the stance between repetitions
    does not hide the movement; long steps are shortened, so that every moving frame counts about alike, however quick.
    """
    energy = (velocity**2).sum(axis=1, keepdims=True)
    if not energy.any():
        return np.eye(velocity.shape[1], 1), np.empty((velocity.shape[1], 0))
    even = velocity / np.sqrt(energy + energy.mean())
    values, vectors = np.linalg.eigh(even.T @ even)
    k = min(3, int((values >= COMPANION * values[-1]).sum()))
    return vectors[:, ::-1][:, :k].copy(), vectors[:, ::-1][:, k:3].copy()


def _white_noise(path: Floats) -> float:
    """From second differences, which movement at this rate hardly has; their median, so that jumps do not count."""
    if len(path) < 3:
        return 0.0
    bend = path[1:-1] - (path[:-2] + path[2:]) / 2
    return float(1.4826 * np.median(np.abs(bend)) / np.sqrt(1.5))
