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
    weight = information[:, None]
    moved, differs = (given - (weight * given).sum(axis=0) / total for given in (drivers, values))
    # Sums of products by einsum: a BLAS would wake threads for them, and those cost more than the sums.
    against_itself = np.einsum("ni,nj->ij", weight * moved, moved) + np.eye(drivers.shape[1]) / sd**2
    against_values = np.einsum("ni,nj->ij", weight * moved, differs)
    return np.asarray(np.einsum("ni,ij->nj", moved, np.linalg.solve(against_itself, against_values)))
