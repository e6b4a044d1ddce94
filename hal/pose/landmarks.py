"""What a pose network says of one picture, before anything else is known about the scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The 33 points of one person. pixels: (33, 2) x, y. metric: (33, 3) metres from the hips, camera axes (x right,
    y down, z away). visibility: (33,) 0..1."""

    pixels: NDArray[np.float64]
    metric: NDArray[np.float64]
    visibility: NDArray[np.float64]

    def moved(self, x: float, y: float) -> Landmarks:
        """The same in a larger picture, of which this one begins at column x, row y."""
        return Landmarks(self.pixels + np.array([x, y]), self.metric, self.visibility)
