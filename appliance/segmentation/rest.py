"""Where the patient rests: the pose that repetitions start from and return to. Ours."""

from __future__ import annotations

import numpy as np

from appliance.segmentation.motion import Floats

KERNEL = 0.1
"""Poses closer than this share of the movement's range are one pose."""
BEFORE = 0.5
AFTER = 0.25
"""A set begins and ends at rest: its first and last frame count as if they had gone on for these shares of its length.
That settles it where a patient holds the turning point longer than the rest; less for the end, which may be cut off."""
BOTH_SIDES = 0.7
"""Of the larger: what the smaller of the excursions to either side has to reach for both to be repetitions. Below it
is a patient who shifts the stance, or swings a little past the rest pose."""
SAMPLES = 400
"""Frames compared with each other, at most."""


def rest_pose(path: Floats) -> Floats:
    """The most frequented pose of `path`, (frames, k) -> (k,)."""
    sample = path[:: len(path) // SAMPLES + 1]
    extent = np.linalg.norm(np.percentile(sample, 95, axis=0) - np.percentile(sample, 5, axis=0)) or 1.0
    weight = np.full(len(sample), 1 / len(sample))
    weight[0] += BEFORE
    weight[-1] += AFTER
    apart = ((sample[:, None] - sample[None]) ** 2).sum(axis=2)
    density = np.exp(-apart / (2 * (KERNEL * extent) ** 2)) @ weight
    best: Floats = sample[int(density.argmax())]
    return best


def drifting_rest(path: Floats, valleys: list[int], reach: int) -> Floats:
    """Rest that moves with the patient: the median pose around each of `valleys`, straight lines between: (frames, k).

    `reach` is the number of frames to each side that a valley's median takes in.
    """
    poses = np.array([np.median(path[max(0, v - reach) : v + reach + 1], axis=0) for v in valleys])
    frames = np.arange(len(path))
    return np.stack([np.interp(frames, valleys, poses[:, axis]) for axis in range(path.shape[1])], axis=1)


def excursion(away: Floats) -> Floats:
    """How far the patient is from rest, (frames, k) -> (frames,).

    Along one direction, towards one side of rest, it has a sign, so that the far side of rest is no excursion; where
    the movement goes to both sides or in several directions, it is the plain distance.
    """
    if away.shape[1] == 1:
        line: Floats = away[:, 0]
        below, above = -np.percentile(line, 1), np.percentile(line, 99)
        if min(below, above) < BOTH_SIDES * max(below, above):
            return line if above > below else -line
    distance: Floats = np.linalg.norm(away, axis=1)
    return distance
