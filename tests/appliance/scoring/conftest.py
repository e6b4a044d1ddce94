"""A body that can be put anywhere: what the tests of scoring move about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from appliance.skeleton.standard import INDEX, Recording, recording_of

REST = {
    "pelvis": (0, 1.0, 0), "spine": (0, 1.2, 0), "thorax": (0, 1.45, 0), "neck": (0, 1.5, 0), "head": (0, 1.65, 0),
    "left_shoulder": (0.18, 1.4, 0), "left_elbow": (0.2, 1.1, 0), "left_wrist": (0.2, 0.85, 0),
    "right_shoulder": (-0.18, 1.4, 0), "right_elbow": (-0.2, 1.1, 0), "right_wrist": (-0.2, 0.85, 0),
    "left_hip": (0.1, 0.97, 0), "left_knee": (0.1, 0.5, 0), "left_ankle": (0.1, 0.08, 0),
    "right_hip": (-0.1, 0.97, 0), "right_knee": (-0.1, 0.5, 0), "right_ankle": (-0.1, 0.08, 0),
}  # fmt: skip

Raising = Callable[..., Recording]


@pytest.fixture
def raising() -> Raising:
    """Makes a recording of somebody who raises both arms: `raising(frames, rate_hz, left, right, noise)`."""

    def make(
        frames: int = 90, rate_hz: float = 30.0, left: float = 1.0, right: float = 1.0, noise: float = 0.0
    ) -> Recording:
        times = np.arange(frames) / rate_hz
        rest = np.array([REST[name] for name in INDEX], float)
        positions = np.repeat(rest[None], frames, axis=0)
        angle = np.sin(np.pi * np.linspace(0, 1, frames)) ** 2 * 2.0
        for side, sign, height in (("left", 1, left), ("right", -1, right)):
            shoulder = positions[:, INDEX[f"{side}_shoulder"]]
            for joint, length in (("elbow", 0.3), ("wrist", 0.55)):
                positions[:, INDEX[f"{side}_{joint}"], 0] = shoulder[:, 0] + sign * length * np.sin(angle * height)
                positions[:, INDEX[f"{side}_{joint}"], 1] = shoulder[:, 1] - length * np.cos(angle * height)
        rng = np.random.default_rng(frames)
        return recording_of(times, positions + rng.normal(0, noise, positions.shape) if noise else positions)

    return make
