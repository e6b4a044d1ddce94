"""Rotation, transformation and Gaussian noise of skeletons while a network learns.

The three are FineRehab's (CVPRW 2024); how far each goes is not known to us, so that these figures are ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TURN_DEG, TILT_DEG = 20.0, 8.0
"""Standing another way to the camera, and a camera that is not level; standard deviations."""
STRETCH, SHIFT = 0.1, 0.1
"""Of each axis, and in trunk lengths; standard deviations."""
NOISE = 0.02
"""Trunk lengths, each coordinate of each joint and moment by itself; standard deviation."""
AUGMENTATIONS: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "rotation": frozenset({"rotation"}),
    "transformation": frozenset({"transformation"}),
    "noise": frozenset({"noise"}),
    "all": frozenset({"rotation", "transformation", "noise"}),
}


def augmented(courses: Floats, augmentation: str, rng: np.random.Generator) -> Floats:
    """courses: (n, frames, 17, 3); each sample is rotated, stretched and shifted as one, and every number disturbed."""
    kinds, count = AUGMENTATIONS[augmentation], len(courses)
    if "rotation" in kinds:
        courses = np.einsum("ntvc,ndc->ntvd", courses, _rotations(count, rng))
    if "transformation" in kinds:
        courses = courses * rng.normal(1.0, STRETCH, (count, 1, 1, 3)) + rng.normal(0.0, SHIFT, (count, 1, 1, 3))
    if "noise" in kinds:
        courses = courses + NOISE * rng.standard_normal(courses.shape, np.float32)
    return np.asarray(courses, np.float32)


def _rotations(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(count, 3, 3): about y, then tilted about z and x."""
    turn, roll, pitch = np.radians(rng.normal(0.0, [[TURN_DEG], [TILT_DEG], [TILT_DEG]], (3, count)))
    return _about(1, turn) @ _about(2, roll) @ _about(0, pitch)


def _about(axis: int, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrices = np.zeros((len(angle), 3, 3))
    matrices[:, axis, axis] = 1.0
    matrices[:, a, a] = matrices[:, b, b] = np.cos(angle)
    matrices[:, a, b], matrices[:, b, a] = -np.sin(angle), np.sin(angle)
    return matrices
