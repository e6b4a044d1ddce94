"""The standard skeleton as a graph, in ST-GCN's three groups of neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import BONES, INDEX

_CENTRE = INDEX["spine"]
"""Stands for the skeleton's centre of gravity, which the paper's groups are counted from."""


def partitions() -> NDArray[np.float32]:
    """(3, 17, 17) float32, from joint (row) to joint (column), by the paper's spatial configuration.

    The groups are the joint itself, those nearer to the centre than it, and those further off or as far; each column
    sums to 1 over all three.
    """
    joints = len(INDEX)
    linked = np.eye(joints, dtype=bool)
    for a, b in BONES:
        linked[INDEX[a], INDEX[b]] = linked[INDEX[b], INDEX[a]] = True
    hops = _hops(linked)
    nearer = linked & (hops[:, None] < hops[None, :])
    own = np.eye(joints, dtype=bool)
    groups = np.stack([own, nearer, linked & ~own & ~nearer]).astype(np.float32)
    return np.asarray(groups / linked.sum(axis=0), np.float32)


def _hops(linked: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(17,) bones between each joint and the centre."""
    hops = np.full(len(linked), len(linked))
    reached = np.arange(len(linked)) == _CENTRE
    for distance in range(len(linked)):
        hops[reached & (hops > distance)] = distance
        reached = reached @ linked
    return hops
