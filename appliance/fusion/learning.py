"""What follows a posture, learnt from the frames in which it was seen, for those in which it was not (ours)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def following(drivers: Floats, values: Floats, information: Floats, sd: float) -> Floats:
    """(n, 3): the part of values (n, 3) that is linear in drivers (n, k) about their means, by ridge regression.

    information: (n,) 1/variance of each value's coordinates, 0 where it is unknown; the value must be finite all the
    same. sd: of each coefficient beforehand, so that little evidence, or little movement, teaches little.
    """
    total = float(information.sum())
    if total <= 0.0 or sd <= 0.0:
        return np.zeros_like(values)
    share = information / total
    moved, differs = drivers - share @ drivers, values - share @ values
    weighted = (moved * information[:, None]).T
    belief = np.eye(drivers.shape[1]) / sd**2
    return np.asarray(moved @ np.linalg.solve(weighted @ moved + belief, weighted @ differs))
