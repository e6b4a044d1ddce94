"""Families of cameras with their pose trackers: what noise and what loss they add to where the joints are. All ours.

A family for tests has kinds of noise that none for training has, so that whoever learns from the ones can be tried on
the others. Millimetres are the standard deviation of an axis, at a joint of average difficulty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hal.virtual.body import STANDARD_17
from hal.virtual.movements import Position
from hal.virtual.noise import Kind, drift, flicker, heavy_tailed, laplacian, trailing, white, windowed
from hal.virtual.occlusion import occlude
from hal.virtual.rotations import Floats

Range = tuple[float, float]
_NONE: Range = (0.0, 0.0)
_DIFFICULTY = np.array(
    [{"wrist": 1.6, "ankle": 1.4, "elbow": 1.2, "knee": 1.1}.get(name.split("_")[-1], 0.9) for name in STANDARD_17]
)
_SWAPPED = {
    "arms": [(STANDARD_17.index(f"left_{name}"), STANDARD_17.index(f"right_{name}")) for name in ("elbow", "wrist")],
    "legs": [(STANDARD_17.index(f"left_{name}"), STANDARD_17.index(f"right_{name}")) for name in ("knee", "ankle")],
}
_SEEN: Range = (0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Tracker:
    """A family of cameras; each range is drawn from once a recording.

    fast, fast_mm: noise without memory. slow, slow_mm: with. bias_mm: of each joint, throughout. depth: factor on the
    noise along the camera's axis. smooth, lag_s: what the tracker does against its own noise. swaps: how often a second
    it takes left for right for some frames. losses: how often a second it loses one joint for some frames. hides: the
    share of recordings in which something hides a part of the body.
    """

    fast: Kind
    fast_mm: Range
    slow: Kind
    slow_mm: Range
    bias_mm: Range
    smooth: Callable[[Floats, float], Floats] = trailing
    lag_s: Range = _NONE
    depth: Range = (1.0, 1.0)
    swaps: Range = _NONE
    losses: Range = _NONE
    hides: float = 0.25

    def see(
        self, joints: Floats, position: Position, watched: NDArray[np.bool_], rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """What it makes of joints (n, 17, 3), metres, z towards the camera: positions, and confidence (n, 17).

        A joint that is not seen is NaN with confidence 0. watched: (17,) joints that nothing hides.
        """
        fast_m, slow_m, bias_m = (rng.uniform(*which) / 1000.0 for which in (self.fast_mm, self.slow_mm, self.bias_mm))
        axes = np.array([1.0, 1.0, rng.uniform(*self.depth)])
        difficulty = (_DIFFICULTY * np.exp(0.2 * rng.standard_normal(len(STANDARD_17))))[:, None] * axes
        noise = fast_m * self.fast(joints.shape, rng) + slow_m * self.slow(joints.shape, rng)
        biased = joints + bias_m * rng.standard_normal(joints.shape[1:])
        seen = self.smooth(biased + difficulty * noise, rng.uniform(*self.lag_s))
        confidence = rng.uniform(*_SEEN, seen.shape[:2])
        for first, last in self._episodes(self.swaps, len(seen), rng):
            for left, right in _SWAPPED["arms" if rng.random() < 0.5 else "legs"]:
                seen[first:last, [left, right]] = seen[first:last, [right, left]]
        if rng.random() < self.hides:
            occlude(seen, confidence, position, watched, rng)
        for first, last in self._episodes(self.losses, len(seen), rng):
            joint = rng.integers(len(STANDARD_17))
            seen[first:last, joint], confidence[first:last, joint] = np.nan, 0.0
        return seen, confidence

    @staticmethod
    def _episodes(often: Range, frames: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        """(first, last) of stretches of two to seven frames."""
        count = rng.poisson(rng.uniform(*often) * frames / 30.0)
        firsts = rng.integers(0, frames, count)
        return [(int(first), int(first + rng.integers(2, 8))) for first in firsts]


def _slowly(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return drift(shape, 0.4, rng)


TRAINING = {
    "depth camera": Tracker(white, (1.0, 4.0), _slowly, (2.0, 8.0), (0.0, 15.0), losses=(0.0, 0.2)),
    "network": Tracker(white, (2.0, 6.0), _slowly, (3.0, 10.0), (5.0, 25.0), lag_s=(0.02, 0.08), depth=(1.0, 2.0)),
    "poor light": Tracker(
        white, (3.0, 7.0), _slowly, (3.0, 10.0), (0.0, 20.0), swaps=(0.0, 0.05), losses=(0.1, 0.6), hides=0.5
    ),
}
TESTS = {
    "jumping": Tracker(
        heavy_tailed, (2.0, 5.0), flicker, (2.0, 7.0), (5.0, 25.0), swaps=(0.0, 0.08), losses=(0.0, 0.5), hides=0.4
    ),
    "windowed": Tracker(
        laplacian, (2.0, 6.0), flicker, (2.0, 8.0), (5.0, 25.0), windowed, (0.03, 0.08), depth=(1.2, 2.0), hides=0.4
    ),
}
"""What a depth camera's tracker shows of somebody near who holds still is some 5 mm; up to twice that is drawn here."""
