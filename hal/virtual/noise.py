"""Kinds of noise along the first axis of an array: each of unit variance, but for what is said."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from hal.virtual.rotations import Floats

RATE_HZ = 30.0
Shape = tuple[int, ...]
Kind = Callable[[Shape, np.random.Generator], Floats]


def white(shape: Shape, rng: np.random.Generator) -> Floats:
    return rng.standard_normal(shape)


def laplacian(shape: Shape, rng: np.random.Generator) -> Floats:
    return rng.laplace(0.0, np.sqrt(0.5), shape)


def heavy_tailed(shape: Shape, rng: np.random.Generator) -> Floats:
    """Student's t with three degrees of freedom: of unit variance, most of it by few samples; none beyond twelve."""
    return np.asarray(np.clip(rng.standard_t(3.0, shape) / np.sqrt(3.0), -12.0, 12.0))


def drift(shape: Shape, memory_s: float, rng: np.random.Generator) -> Floats:
    """First-order autoregressive, stationary from its first sample."""
    keep = float(np.exp(-1.0 / (memory_s * RATE_HZ)))
    before = rng.standard_normal((1, *shape[1:]))
    filtered, _ = lfilter([np.sqrt(1.0 - keep**2)], [1.0, -keep], rng.standard_normal(shape), axis=0, zi=keep * before)
    return np.asarray(filtered)


def flicker(shape: Shape, rng: np.random.Generator) -> Floats:
    """Near to 1/f: drifts of five memories, three times as long each, in equal parts."""
    return np.asarray(sum(drift(shape, 0.04 * 3.0**step, rng) for step in range(5)) / np.sqrt(5.0))


def trailing(signal: Floats, lag_s: float) -> Floats:
    """What a first-order low-pass filter makes of a signal; it starts settled. lag_s 0 leaves it as it is."""
    if lag_s <= 0.0:
        return signal
    keep = float(np.exp(-1.0 / (lag_s * RATE_HZ)))
    filtered, _ = lfilter([1.0 - keep], [1.0, -keep], signal, axis=0, zi=keep * signal[:1])
    return np.asarray(filtered)


def windowed(signal: Floats, lag_s: float) -> Floats:
    """The mean of the last samples, as many as make that lag; the first sample stands for those before it."""
    width = 1 + round(2.0 * lag_s * RATE_HZ)
    padded = np.concatenate([np.repeat(signal[:1], width, axis=0), signal])
    sums = np.cumsum(padded, axis=0)
    return np.asarray((sums[width:] - sums[:-width]) / width)
