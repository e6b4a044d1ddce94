"""Joints from what is known of joints and of the bones between them: weighted least squares over the skeleton's tree.

Joints seen pull with the inverse of the camera's variance, bones with that of their own. So a wrist may hang from a
seen shoulder by two bones, an elbow lie between a shoulder and a wrist that were seen, and a doubtful joint come out in
between (ours).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.bones import CHILD, PARENT

Floats = NDArray[np.float64]

_JOINTS = 17
_NOWHERE = 1e-6
"""1/m^2: a joint that nothing tells of lies within a kilometre, which keeps every system solvable."""
_BRANCHES = np.zeros((len(CHILD), _JOINTS))
_BRANCHES[np.arange(len(CHILD)), CHILD] = 1.0
_BRANCHES[np.arange(len(CHILD)), PARENT] = -1.0
_PULLS = np.einsum("bi,bj->bij", _BRANCHES, _BRANCHES).reshape(len(CHILD), -1)
_AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class Placed:
    """positions: (n, 17, 3) m; variance: (n, 17) m^2 of each coordinate, huge where nothing is known."""

    positions: Floats
    variance: Floats


def place(joints: Floats, joint_variance: Floats, bones: Floats, bone_variance: Floats) -> Placed:
    """joints: (n, 17, 3) m; bones: (n, 16, 3) m, child minus parent; variances (n, 17) and (n, 16) in m^2 of each
    coordinate, infinite where unknown, and then the values do not matter."""
    positions, variance = np.empty_like(joints), np.empty_like(joint_variance)
    for start in range(0, len(joints), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        here, along = 1.0 / joint_variance[part], 1.0 / bone_variance[part]
        matrix = (along @ _PULLS).reshape(-1, _JOINTS, _JOINTS)
        matrix[:, np.arange(_JOINTS), np.arange(_JOINTS)] += here + _NOWHERE
        known = np.where(here[..., None] > 0, joints[part], 0.0)
        pulled = np.where(along[..., None] > 0, bones[part], 0.0) * along[..., None]
        inverse = np.linalg.inv(matrix)
        positions[part] = inverse @ (here[..., None] * known + _BRANCHES.T @ pulled)
        variance[part] = np.diagonal(inverse, axis1=1, axis2=2)
    return Placed(positions, variance)
