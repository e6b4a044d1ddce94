"""How a sensor is worn, found from the frames in which the camera saw the bones beneath it.

A bone seen as v(t), on a sensor with orientation R(t) in a world of unknown heading psi(t), obeys

    v(t) = Ry(psi(t)) R(t) c

with c the bone's vector in the sensor's axes: its length is the person's, its direction the sensor's mounting. For a
constant psi the best c is a mean, linear in cos psi and sin psi, so every heading can be tried and none is missed.
Then psi may drift, slowly, and c is found again. Last, tissue hangs: c moves a little, linearly, as "down" g(t) moves
in the sensor's axes, c + C (g - mean g), which repetitions seen teach for the one that was hidden. All this is ours.

A still pose alone leaves heading and mounting confounded. Two things known beforehand part them: a sensor sits within
some 20 degrees of its segment's axes, and in the pose that a set begins with its x axis points to the body's left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.signal import lfilter

from appliance.fusion.learning import following

Floats = NDArray[np.float64]

MOUNTING_SD = 0.35
"""How far a bone may lie from its nominal place in the sensor's axes, as a fraction of its length: 20 degrees."""
_POSE_SD = 0.5
"""Radians: how far a limb's left may turn from the body's left in the first pose (a rotated arm)."""
_ERROR_SD_M = 0.03
"""Of a bone seen against a bone felt: the camera's noise and soft tissue together."""
_INDEPENDENT_S = 0.5
"""Errors closer in time than this are taken to be the same error."""
_WANDER = np.radians(0.5)
"""How far a heading wanders in a second, standard deviation. It is then averaged over more than a repetition, whose
soft tissue errors cancel."""
_DRIFT = np.radians(0.5)
"""Its steady drift beside that, standard deviation, rad/s: a gyroscope's bias."""
_PULL = _POSE_SD**-2 * _WANDER / _POSE_SD
"""1/rad^2: what the first pose says of the heading, over as many seconds as a walk averages such evidence over."""
_AVERAGED_S = 8.0
_STEADY_S = 40.0
"""So long a heading is nearly constant."""
_SAG = 0.1
"""How much of a bone's length its vector may move for a quarter turn of the sensor, standard deviation."""
_TRIED = np.radians(np.arange(0.0, 360.0, 2.0))
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class SeenBones:
    """What the camera saw of the bones of one sensor.

    times: (n,) s; turns: (n, 3, 3) R(t), NaN where unknown; vectors: (n, bones, 3) m, NaN where not seen.
    weights: (n, bones) 0..1, 0 where not seen; prior: (bones, 3) m, c as expected; prior_sd: (bones,) m.
    left: heading of the body's left in the first pose, rad, or None where the camera did not see it.
    """

    times: Floats
    turns: Floats
    vectors: Floats
    weights: Floats
    prior: Floats
    prior_sd: Floats
    left: float | None


@dataclass(frozen=True, slots=True)
class Wearing:
    """vectors: (bones, 3) m, c in the sensor's axes; felt: (n, bones, 3) m, the bones as this sensor tells them, NaN
    where it tells nothing."""

    vectors: Floats
    felt: Floats


def find_wearing(seen: SeenBones) -> Wearing:
    """The most plausible c, psi(t) and C; where nothing was seen, the prior's."""
    known = np.isfinite(seen.turns).all(axis=(1, 2))
    seen = _without_nan(seen, known)
    early = _early(seen)
    first = _first_heading(early, known)
    heading = np.full(len(seen.times), first)
    found = _mounted(early, heading)
    hanging = np.broadcast_to(found, seen.vectors.shape)
    for _ in range(_ROUNDS if seen.weights.any() else 0):
        heading = _drifting(seen, hanging, heading, first)
        found = _mounted(seen, heading)
        hanging = found + _sag(seen, heading, found)
    return Wearing(found, np.where(known[:, None, None], _felt(seen, hanging, heading), np.nan))


def turned(vectors: Floats, heading: Floats) -> Floats:
    """Ry(heading) applied to vectors (n, bones, 3), one heading (n,) a frame; from z towards x."""
    cos, sin = np.cos(heading)[:, None], np.sin(heading)[:, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.asarray(np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1))


def _without_nan(seen: SeenBones, known: NDArray[np.bool_]) -> SeenBones:
    """The same with 0 for what is unknown, and no weight on it."""
    weights = np.where(known[:, None], seen.weights, 0.0)
    turns = np.where(known[:, None, None], seen.turns, 0.0)
    return replace(seen, turns=turns, weights=weights, vectors=np.where(weights[..., None] > 0, seen.vectors, 0.0))


def _early(seen: SeenBones) -> SeenBones:
    """The same with weight on the first `_STEADY_S` of what was seen only."""
    begins = seen.times[np.argmax(seen.weights.any(axis=1))]
    return replace(seen, weights=np.where((seen.times <= begins + _STEADY_S)[:, None], seen.weights, 0.0))


def _information(seen: SeenBones) -> Floats:
    """(bones,) 1/m^2: how much the frames together say about c."""
    return np.asarray(independent_share(seen.times) * seen.weights.sum(axis=0) / _ERROR_SD_M**2)


def independent_share(times: Floats) -> float:
    """How much of an independent look at the bone one frame is."""
    return min(float(np.median(np.diff(times))) / _INDEPENDENT_S, 1.0) if len(times) > 1 else 1.0


def _mean_in_sensor(seen: SeenBones, vectors: Floats) -> Floats:
    """(bones, 3): the weighted mean over the frames of vectors (n, bones, 3), in the sensor's axes."""
    total = np.maximum(seen.weights.sum(axis=0), 1e-12)
    return np.asarray(np.einsum("nij,nbi,nb->bj", seen.turns, vectors, seen.weights) / total[:, None])


def _first_heading(seen: SeenBones, known: NDArray[np.bool_]) -> float:
    """The best constant heading of all, by its posterior on a grid."""
    x, y, z = np.moveaxis(seen.vectors, -1, 0)
    nothing = np.zeros_like(x)
    along = _mean_in_sensor(seen, np.stack([x, nothing, z], axis=-1))
    across = _mean_in_sensor(seen, np.stack([-z, nothing, x], axis=-1))
    upright = _mean_in_sensor(seen, np.stack([nothing, y, nothing], axis=-1))
    means = np.cos(_TRIED)[:, None, None] * along + np.sin(_TRIED)[:, None, None] * across + upright
    data, belief = _information(seen), 1.0 / seen.prior_sd**2
    shared = data * belief / (data + belief)
    cost = (shared * ((means - seen.prior) ** 2).sum(axis=-1) - data * (means**2).sum(axis=-1)).sum(axis=-1)
    if seen.left is not None and known.any():
        x_axis = seen.turns[np.argmax(known), :, 0]
        level = np.hypot(x_axis[0], x_axis[2])
        cost -= 2.0 * level * np.cos(_TRIED - seen.left + np.arctan2(-x_axis[2], x_axis[0])) / _POSE_SD**2
    return float(_TRIED[np.argmin(cost)])


def _mounted(seen: SeenBones, heading: Floats) -> Floats:
    """(bones, 3): c under these headings, between what the frames and what the prior say."""
    data, belief = _information(seen)[:, None], 1.0 / seen.prior_sd[:, None] ** 2
    means = _mean_in_sensor(seen, turned(seen.vectors, -heading))
    return np.asarray((data * means + belief * seen.prior) / (data + belief))


def _sag(seen: SeenBones, heading: Floats, found: Floats) -> Floats:
    """(n, bones, 3) m: C (g - mean g), learnt from the frames in which the bone was seen."""
    own = np.einsum("nij,nbi->nbj", seen.turns, turned(seen.vectors, -heading))
    information = seen.weights * _information(seen) / np.maximum(seen.weights.sum(axis=0), 1e-12)
    down = -seen.turns[:, 1]
    sizes = np.linalg.norm(found, axis=1)
    bones = range(len(found))
    return np.stack([following(down, own[:, b], information[:, b], _SAG * sizes[b]) for b in bones], axis=1)


def _felt(seen: SeenBones, hanging: Floats, heading: Floats) -> Floats:
    """(n, bones, 3) m: the bones that c + C (g - mean g), given frame by frame, make in the camera's axes."""
    return turned(np.asarray(np.einsum("nij,nbj->nbi", seen.turns, hanging)), heading)


def _drifting(seen: SeenBones, hanging: Floats, heading: Floats, first: float) -> Floats:
    """(n,) rad: the heading over time, from the horizontal parts of bones seen and felt, second by second. Where these
    tell little, because the bone is upright, it stays near the first one."""
    felt = _felt(seen, hanging, heading)
    a, b = felt[..., 0] - 1j * felt[..., 2], seen.vectors[..., 0] - 1j * seen.vectors[..., 2]
    phasor = (seen.weights * b * np.conj(a)).sum(axis=1) * np.exp(1j * (heading - first))
    since = seen.times - seen.times[0]
    second = since.astype(np.intp)
    count = int(second[-1]) + 1
    sums = np.bincount(second, phasor.real, count) + 1j * np.bincount(second, phasor.imag, count)
    information = independent_share(seen.times) / _ERROR_SD_M**2
    roughly = _unwound(sums + _PULL / information)
    angles = roughly + np.angle(sums * np.exp(-1j * roughly))
    beyond = _wandering(angles, information * np.abs(sums))
    return np.asarray(first + np.interp(since, np.arange(count) + 0.5, beyond))


def _unwound(phasors: NDArray[np.complex128]) -> Floats:
    """(seconds,) rad: their angles, averaged over some seconds, as a line that never jumps by a turn."""
    fading = [1.0], [1.0, -np.exp(-1.0 / _AVERAGED_S)]
    around = lfilter(*fading, phasors) + lfilter(*fading, phasors[::-1])[::-1] - phasors
    return np.asarray(np.unwrap(np.angle(around)))


def _wandering(angles: Floats, information: Floats) -> Floats:
    """(seconds,) rad: the likeliest walk with a steady drift, near 0 where nothing is known.

    Least squares in the walk and the drift; the walk is linear in the drift, which leaves one equation for that.
    """
    stiff, count = _WANDER**-2, len(angles)
    if count == 1:
        return np.zeros(1)
    banded = np.full((2, count), -stiff)
    banded[1] = information + _PULL + 2.0 * stiff
    banded[1, [0, -1]] -= stiff
    ends = np.zeros(count)
    ends[[0, -1]] = -stiff, stiff
    level, slope = solveh_banded(banded, np.stack([information * angles, ends], axis=1)).T
    drift = stiff * (level[-1] - level[0]) / (_DRIFT**-2 + stiff * (count - 1 - slope[-1] + slope[0]))
    return np.asarray(level + drift * slope)
