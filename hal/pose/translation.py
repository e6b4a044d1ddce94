"""Where a hip-centred skeleton stands in the scene, from where its joints are in the picture. Ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def offset_in_scene(metric: NDArray[np.float64], pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) metres to add to `metric` so that its origin is the camera's axis; (0, 0, 0) where that cannot be told.

    metric: (joints, 3) metres, x right in the picture, y down, any origin. pixels: (joints, 2), the same joints in the
    picture, from its middle.

    Weak perspective: the scale in metres per pixel is the ratio of the two point sets' spreads, so that the person's
    apparent size stands in for the unknown distance and focal length. Without it a hip-centred skeleton does not go
    down in a squat, nor up in a heel raise. Depth is not recovered (it would need the focal length): it stays 0.
    """
    if not len(metric):
        return np.zeros(3)
    flat = metric[:, :2]
    spread = np.linalg.norm(pixels - pixels.mean(axis=0))
    if spread == 0:
        return np.zeros(3)
    scale = np.linalg.norm(flat - flat.mean(axis=0)) / spread
    return np.append(scale * pixels.mean(axis=0) - flat.mean(axis=0), 0.0)
