"""A set cut into repetitions: excursions from rest and back. No threshold knows the exercise. Ours.

The recording is reduced to its main movement (`motion`), the rest pose is found (`rest`), and every excursion from it
that stands out among the set's own is a repetition, bounded where its movement begins and ends (`bounds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from appliance.segmentation.bounds import phase_bound, quarter_to_three_quarters, turning_point
from appliance.segmentation.motion import Floats, Motion, main_motion
from appliance.segmentation.rest import drifting_rest, excursion, rest_pose
from appliance.skeleton.standard import Recording

STANDS_OUT = 0.35
"""Height of a repetition over the valleys beside it, as a share of the set's typical one. A shallow repetition of a
tired patient is above it, fidgeting and swaying at the turning point are below."""
RETURNED = 0.25
"""A repetition is complete when it came from and returned to within this share of its height from the rest pose."""
LEAST = 0.1
"""Of the body's radius (some 5 cm in an adult): what the joint that moves most must travel. Less is keeping still."""
LEAST_NOISE = 5.0
"""In standard deviations of the path's noise: white noise alone does not stray so far from its most frequent value."""
REST_SHARE = 0.15
AT_REST_S = (0.2, 0.4)
"""A repetition starts and ends at rest: its bounds lie outside the movement by this share of the rest beside it, within
these limits, and never beyond the middle of the rest between two repetitions."""
TWO_POSES = 0.25
"""Of an excursion's height: rests that differ by more beside the main direction are two poses, if they take turns."""
CALM = 0.3
"""The speed is smoothed over this share of the time the movement takes from a quarter to three quarters of the way."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """One excursion from rest and back. Times in seconds on the recording's own time axis, as in its `times`."""

    start_s: float
    reverse_s: float | None
    """Between the initiation and the reverse phase, the middle of a hold; None where it was not recorded."""
    end_s: float
    complete: bool
    """False where the recording begins or ends on the way, or the patient did not return to rest before the next."""


def find_repetitions(recording: Recording, joints: Sequence[str] | None = None) -> list[Repetition]:
    """The repetitions of a set in the order of time, by the movement of `joints` (default: all that were seen).

    Someone who does not move has none. On a growing recording the last ones may still change.
    Raises `NotScorableError` with fewer than two frames or with none of the joints seen in half of them.
    """
    motion = main_motion(recording, joints)
    distance, peaks, valleys = _excursions(motion)
    if not peaks:
        return []
    bounds = _bounds(motion, distance, peaks, valleys)
    found = []
    for peak, (left, right), (start, end) in zip(peaks, pairwise(valleys), bounds, strict=True):
        turn = turning_point(distance, peak)
        found.append(
            Repetition(
                start_s=_seconds(motion, start),
                reverse_s=None if turn is None else _seconds(motion, turn),
                end_s=_seconds(motion, end),
                complete=bool(max(distance[left], distance[right]) <= RETURNED * distance[peak]),
            )
        )
    return found


def _excursions(motion: Motion) -> tuple[Floats, list[int], list[int]]:
    """Distance from rest, (frames,) metres, its peaks (one a repetition), and the valleys before, between and after."""
    distance, peaks, valleys = _from_rest(motion, motion.path)
    if _between_two_poses(motion, distance, peaks, valleys):  # sitting and standing: half a repetition each
        distance, peaks, valleys = _from_rest(motion, np.hstack([motion.path, motion.beside]))
    if not peaks or not _moves(motion, distance, peaks, valleys):
        return distance, [], []
    return distance, peaks, valleys


def _from_rest(motion: Motion, path: Floats) -> tuple[Floats, list[int], list[int]]:
    distance = excursion(path - rest_pose(path))
    peaks, valleys = _peaks(distance)
    at_rest = [v for v in valleys if distance[v] <= RETURNED * np.median(distance[peaks])] if peaks else []
    if at_rest:
        rest = drifting_rest(path, at_rest, reach=round(AT_REST_S[0] * motion.rate_hz))
        distance = excursion(path - rest)
        peaks, valleys = _peaks(distance)
    return distance, peaks, valleys


def _between_two_poses(motion: Motion, distance: Floats, peaks: list[int], valleys: list[int]) -> bool:
    """Whether the rests before and after each excursion are two poses that take turns, alike along the path only."""
    if len(peaks) < 2:
        return False
    poses = motion.beside[valleys]
    next_one, one_after = (np.linalg.norm(poses[k:] - poses[:-k], axis=1) for k in (1, 2))
    return bool(
        np.median(next_one) > TWO_POSES * np.median(distance[peaks]) and np.median(one_after) < np.median(next_one) / 2
    )


def _peaks(distance: Floats) -> tuple[list[int], list[int]]:
    """Peaks that stand out among themselves; what lies before and after the recording is taken to be rest."""
    framed = np.concatenate([[0.0], distance, [0.0]])
    typical = distance.max()
    for _ in range(2):  # the second time without the say of a single stumble
        peaks = find_peaks(framed, prominence=max(STANDS_OUT * typical, np.finfo(np.float64).tiny))[0] - 1
        typical = np.median(distance[peaks]) if len(peaks) else typical
    between = [a + int(distance[a:b].argmin()) for a, b in pairwise(peaks)]
    return [int(peak) for peak in peaks], [0, *between, len(distance) - 1]


def _moves(motion: Motion, distance: Floats, peaks: list[int], valleys: list[int]) -> bool:
    """Whether the typical peak is a movement: far enough for a body of this size, and out of the noise."""
    if np.median(distance[peaks]) < LEAST_NOISE * motion.noise:
        return False
    travel = [
        np.linalg.norm(motion.joints[peak] - motion.joints[valley], axis=1).max()
        for peak, sides in zip(peaks, pairwise(valleys), strict=True)
        for valley in [min(sides, key=lambda v: distance[v])]
    ]
    return bool(np.median(travel) >= LEAST * motion.body)


def _bounds(motion: Motion, distance: Floats, peaks: list[int], valleys: list[int]) -> list[tuple[float, float]]:
    """Start and end of every repetition, fractional frames, none overlapping the next."""
    sides = [(peak, valley) for peak, pair in zip(peaks, pairwise(valleys), strict=True) for valley in pair]
    rise = float(np.median([quarter_to_three_quarters(distance, *side) for side in sides]))
    calm = gaussian_filter1d(motion.path, max(CALM * rise, 0.5), axis=0, mode="nearest")
    speed = np.linalg.norm(np.gradient(calm, axis=0), axis=1)
    moving = np.array([phase_bound(distance, speed, *side) for side in sides])
    rests = np.diff(np.concatenate([[0.0], moving, [len(distance) - 1.0]]))[::2]
    room = np.concatenate([rests[:1], rests[1:-1] / 2, rests[-1:]])
    least, most = (limit * motion.rate_hz for limit in AT_REST_S)
    margin = np.minimum(np.clip(REST_SHARE * rests, least, most), room)
    return list(zip((moving[::2] - margin[:-1]).tolist(), (moving[1::2] + margin[1:]).tolist(), strict=True))


def _seconds(motion: Motion, frame: float) -> float:
    return float(np.interp(frame, np.arange(len(motion.times)), motion.times))
