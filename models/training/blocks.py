"""The numbers that judge how well it was done, in blocks that count alike, however many numbers each holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.training.layout import Layout

Floats = NDArray[np.float32]

STRETCHES = 4
"""Of the reference, over which where the body was is averaged: more of them are more for few persons to teach."""
BLOCKS = {
    "correct": ("components", "ratios", "slopes", "slopes_size", "course", "course_size"),
    "level": ("components", "ratios", "courses", "parts", "shown"),
}
"""By head. How far the body was from the reference, and when, tells right from wrong; course: in `STRETCHES`, less what
is held all along. size: whichever way it goes. The others: see `appliance.quality.relative.GROUPS`."""
TASK = "shown"
"""The one that says what the reference is like."""


def blocks_of(sequence: NDArray[np.float16], vector: Floats, layout: Layout) -> dict[str, Floats]:
    """By name, (n, numbers), of standardised inputs (n, phases, channels) and (n, features)."""
    found = {name: vector[:, at] for name, at in layout.groups.items()}
    away = sequence[:, :, layout.differences]
    means = away.reshape(len(away), STRETCHES, layout.phases // STRETCHES, -1).mean(axis=2, dtype=np.float32)
    found["course"] = (means - means.mean(axis=1, keepdims=True)).reshape(len(away), -1)
    found["course_size"], found["slopes_size"] = np.abs(found["course"]), np.abs(found["slopes"])
    return found
