"""Joints from what is known of joints and of the bones between them: weighted least squares over the skeleton's tree.

Joints seen pull with the inverse of the camera's variance, bones with that of their own. So a wrist may hang from a
seen shoulder by two bones, an elbow lie between a shoulder and a wrist that were seen, and a doubtful joint come out in
between (ours). In a tree, elimination from the tips to the root and back is the exact solution, for all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.bones import CHILD, PARENT
from appliance.skeleton.standard import INDEX

Floats = NDArray[np.float64]

_NOWHERE = 1e-6
"""1/m^2: a joint that nothing tells of lies within a kilometre, which keeps every division defined."""
_ROOT = INDEX["pelvis"]
_OUTWARDS = list(enumerate(zip(PARENT.tolist(), CHILD.tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class Placed:
    """positions: (n, 17, 3) m; variance: (n, 17) m^2 of each coordinate, huge where nothing is known."""

    positions: Floats
    variance: Floats


def place(joints: Floats, joint_variance: Floats, bones: Floats, bone_variance: Floats) -> Placed:
    """joints: (n, 17, 3) m; bones: (n, 16, 3) m, child minus parent; variances (n, 17) and (n, 16) in m^2 of each
    coordinate, infinite where unknown, and then the values do not matter."""
    pull, tie = 1.0 / joint_variance, 1.0 / bone_variance
    pulled = pull[..., None] * np.where(pull[..., None] > 0, joints, 0.0)
    bones = np.where(tie[..., None] > 0, bones, 0.0)
    pull += _NOWHERE
    for bone, (parent, child) in reversed(_OUTWARDS):
        share = tie[:, bone] / (tie[:, bone] + pull[:, child])
        pulled[:, parent] += share[:, None] * (pulled[:, child] - pull[:, child, None] * bones[:, bone])
        pull[:, parent] += share * pull[:, child]
    positions, variance = np.empty_like(pulled), np.empty_like(pull)
    variance[:, _ROOT] = 1.0 / pull[:, _ROOT]
    positions[:, _ROOT] = pulled[:, _ROOT] * variance[:, _ROOT, None]
    for bone, (parent, child) in _OUTWARDS:
        own = 1.0 / (tie[:, bone] + pull[:, child])
        share = tie[:, bone] * own
        hung = positions[:, parent] + bones[:, bone]
        positions[:, child] = own[:, None] * pulled[:, child] + share[:, None] * hung
        variance[:, child] = own + share**2 * variance[:, parent]
    return Placed(positions, variance)
