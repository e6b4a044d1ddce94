"""Rotations as (..., 3, 3) float64 matrices from a segment's axes to the stage's, many at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def from_xzy(angles: Floats) -> Floats:
    """Rx(a) Rz(b) Ry(c) for angles (..., 3) = (a, b, c) in radians: flexion, then sideways, then along the segment."""
    sines, cosines = np.sin(angles), np.cos(angles)
    sa, sb, sc = (sines[..., axis] for axis in range(3))
    ca, cb, cc = (cosines[..., axis] for axis in range(3))
    rows = np.empty((*angles.shape[:-1], 3, 3))
    rows[..., 0, 0], rows[..., 0, 1], rows[..., 0, 2] = cb * cc, -sb, cb * sc
    rows[..., 1, 0], rows[..., 1, 1], rows[..., 1, 2] = ca * sb * cc + sa * sc, ca * cb, ca * sb * sc - sa * cc
    rows[..., 2, 0], rows[..., 2, 1], rows[..., 2, 2] = sa * sb * cc - ca * sc, sa * cb, sa * sb * sc + ca * cc
    return rows


def cross(first: Floats, second: Floats) -> Floats:
    """Cross products (n, 3): `numpy.cross` for this one shape, several times as fast on few rows."""
    product = np.empty_like(first)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        product[:, i] = first[:, j] * second[:, k] - first[:, k] * second[:, j]
    return product


def quaternions(rotations: Floats) -> Floats:
    """(..., 4) unit quaternions w, x, y, z with w >= 0; solved for the largest of the four, so that none is
    ill-conditioned."""
    m = rotations
    diagonal = np.diagonal(m, axis1=-2, axis2=-1)
    trace = diagonal.sum(axis=-1)
    squares = np.concatenate([trace[..., None], 2 * diagonal - trace[..., None]], axis=-1) + 1.0
    # Four candidates, each the quaternion times four of its own components; rows and columns are w, x, y, z.
    table = np.empty((*m.shape[:-2], 4, 4))
    for index in range(4):
        table[..., index, index] = squares[..., index]
    for axis, (i, j) in enumerate(((2, 1), (0, 2), (1, 0)), start=1):
        table[..., 0, axis] = table[..., axis, 0] = m[..., i, j] - m[..., j, i]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        table[..., i + 1, j + 1] = table[..., j + 1, i + 1] = m[..., i, j] + m[..., j, i]
    best = np.argmax(squares, axis=-1)[..., None, None]
    chosen = np.take_along_axis(table, best, axis=-2)[..., 0, :]
    chosen /= np.linalg.norm(chosen, axis=-1, keepdims=True)
    return np.asarray(np.where(chosen[..., :1] < 0, -chosen, chosen))


def from_quaternions(quaternion: Floats) -> Floats:
    """The matrices (..., 3, 3) of unit quaternions (..., 4), w, x, y, z."""
    w, x, y, z = (quaternion[..., part] for part in range(4))
    rows = np.empty((*quaternion.shape[:-1], 3, 3))
    for row, (p, q, r, a, b, c) in enumerate(((0, 1, 2, x, y, z), (1, 2, 0, y, z, x), (2, 0, 1, z, x, y))):
        rows[..., row, p] = 1 - 2 * (b * b + c * c)
        rows[..., row, q] = 2 * (a * b - w * c)
        rows[..., row, r] = 2 * (a * c + w * b)
    return rows


def rotation_vectors(rotations: Floats) -> Floats:
    """(..., 3) rotation vectors, radians, of rotations well under half a turn."""
    quaternion = quaternions(rotations)
    sine = np.linalg.norm(quaternion[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quaternion[..., :1])
    return np.asarray(quaternion[..., 1:] * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0))


def from_small_vectors(vectors: Floats) -> Floats:
    """Unit quaternions (..., 4) of small rotation vectors (..., 3), radians; exact to second order."""
    quaternion = np.concatenate([np.ones((*vectors.shape[:-1], 1)), vectors / 2.0], axis=-1)
    return np.asarray(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True))


def multiply(first: Floats, second: Floats) -> Floats:
    """Products (..., 4) of quaternions: the second rotation in the axes the first leads to."""
    w, x, y, z = (first[..., part] for part in range(4))
    a, b, c, d = (second[..., part] for part in range(4))
    product = np.empty_like(first)
    product[..., 0] = w * a - x * b - y * c - z * d
    product[..., 1] = w * b + x * a + y * d - z * c
    product[..., 2] = w * c - x * d + y * a + z * b
    product[..., 3] = w * d + x * c - y * b + z * a
    return product


def blend(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Between two sets of rotations (n, k, 3, 3), the shorter way: weight (n,) 0 is the first, 1 the second."""
    a, b = quaternions(first), quaternions(second)
    b = np.where((a * b).sum(axis=-1, keepdims=True) < 0, -b, b)
    mixed = a + weight[:, None, None] * (b - a)
    return from_quaternions(mixed / np.linalg.norm(mixed, axis=-1, keepdims=True))
