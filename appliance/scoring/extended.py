"""The extended dissimilarity: components that need no common pace, added up with one set of weights (ours).

HS-BTW's D_P and D_T come from patients who followed the instructor in real time. What this measure adds, and the
figures that speak for it, are in docs/scoring.md; the weights with the data they came from in extended_weights.json.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from appliance.scoring.components import COMPONENTS, Measured
from appliance.skeleton.standard import JOINTS

WEIGHTS_FILE = Path(__file__).with_name("extended_weights.json")


@dataclass(frozen=True, slots=True)
class Extended:
    """dissimilarity: the sum of the contributions. contributions: by component, its weight times its value.
    joints: each joint's part of the contributions, summing to what of them is above zero."""

    dissimilarity: float
    contributions: dict[str, float]
    joints: dict[str, float]
    mirrored: bool


@cache
def shipped_weights() -> dict[str, float]:
    """By component, all >= 0."""
    weights = json.loads(WEIGHTS_FILE.read_text("utf-8"))["weights"]
    return {name: float(weights[name]) for name in COMPONENTS}


def extended(measured: Measured) -> Extended:
    contributions = {name: weight * measured.values[name] for name, weight in shipped_weights().items()}
    joints = dict.fromkeys(JOINTS, 0.0)
    for name, contribution in contributions.items():
        parts = measured.joints[name]
        total = float(parts.sum())
        if contribution > 0.0 and total > 0.0:
            for joint, part in zip(JOINTS, parts.tolist(), strict=True):
                joints[joint] += contribution * part / total
    return Extended(sum(contributions.values()), contributions, joints, measured.mirrored)
