"""A patient whose repetitions are known to the frame: what the tests of segmentation cut up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from appliance.skeleton.standard import INDEX, Recording, recording_of

STANDING = {
    "pelvis": (0, 1.0, 0), "spine": (0, 1.2, 0), "thorax": (0, 1.45, 0), "neck": (0, 1.5, 0), "head": (0, 1.65, 0),
    "left_shoulder": (0.18, 1.4, 0), "left_elbow": (0.2, 1.1, 0), "left_wrist": (0.2, 0.85, 0),
    "right_shoulder": (-0.18, 1.4, 0), "right_elbow": (-0.2, 1.1, 0), "right_wrist": (-0.2, 0.85, 0),
    "left_hip": (0.1, 0.97, 0), "left_knee": (0.1, 0.5, 0), "left_ankle": (0.1, 0.08, 0),
    "right_hip": (-0.1, 0.97, 0), "right_knee": (-0.1, 0.5, 0), "right_ankle": (-0.1, 0.08, 0),
}  # fmt: skip


@dataclass(frozen=True)
class Raise:
    """One arm raised and lowered, each way with least jerk."""

    up_s: float = 1.0
    down_s: float = 1.0
    hold_s: float = 0.0
    angle: float = 1.6
    side: str = "right"


@dataclass(frozen=True)
class Truth:
    """start, turn and end of every raise, seconds: (raises, 3)."""

    recording: Recording
    bounds: np.ndarray


Performing = Callable[..., Truth]


def _least_jerk(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return 10 * share**3 - 15 * share**4 + 6 * share**5


@pytest.fixture(scope="session")
def performing() -> Performing:
    """`performing(raises, pauses, rate_hz=, noise=, seed=)`: every raise as the fields of `Raise` that differ from its
    defaults; pauses in seconds before, between and after them."""

    def perform(
        fields: list[dict[str, Any]], pauses: list[float], rate_hz: float = 30.0, noise: float = 0.0, seed: int = 0
    ) -> Truth:
        assert len(pauses) == len(fields) + 1
        raises = [Raise(**one) for one in fields]
        bounds, now = [], 0.0
        for one, pause in zip(raises, pauses, strict=False):
            start = now + pause
            now = start + one.up_s + one.hold_s + one.down_s
            bounds.append((start, start + one.up_s + one.hold_s / 2, now))
        times = np.arange(0, now + pauses[-1], 1 / rate_hz)
        angles = {"left": np.zeros(len(times)), "right": np.zeros(len(times))}
        for one, (start, _, end) in zip(raises, bounds, strict=True):
            up, down = _least_jerk((times - start) / one.up_s), _least_jerk((end - times) / one.down_s)
            angles[one.side] += one.angle * np.minimum(up, down)
        positions = np.repeat(np.array([STANDING[name] for name in INDEX], float)[None], len(times), axis=0)
        for side, sign in (("left", 1), ("right", -1)):
            shoulder = np.array(STANDING[f"{side}_shoulder"])
            for joint, length in (("elbow", 0.3), ("wrist", 0.55)):
                reach = np.stack([sign * np.sin(angles[side]), -np.cos(angles[side]), 0 * times], axis=1)
                positions[:, INDEX[f"{side}_{joint}"]] = shoulder + length * reach
        positions += np.random.default_rng(seed).normal(0, noise, positions.shape)
        return Truth(recording_of(times, positions), np.array(bounds))

    return perform
