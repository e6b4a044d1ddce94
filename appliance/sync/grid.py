"""One grid for all streams: what each showed at given instants of one clock, interpolated, with gaps marked (ours).

Nothing is dropped for not coinciding: put the camera's own frame times in and every frame stays, with the sensors'
values at that instant beside it.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from appliance.skeleton.gaps import MAX_GAP_S

Floats = NDArray[np.float64]
Between = Literal["linear", "spline"]


def uniform_times(start_s: float, end_s: float, rate_hz: float) -> Floats:
    """Instants at a constant rate, from start_s on, none after end_s."""
    return start_s + np.arange(int((end_s - start_s) * rate_hz + 1e-6) + 1) / rate_hz


def values_at(
    times: Floats, values: Floats, at: Floats, between: Between = "linear", longest_gap_s: float = MAX_GAP_S
) -> Floats:
    """(len(at), ...) of values (n, ...) known at increasing times (n,); positions, accelerations, anything linear.

    NaN before the first and after the last known instant, and between two that are further apart than longest_gap_s
    (the missing time; the usual step comes on top). A value that is NaN is unknown, by itself: the joints of a skeleton
    have their own gaps. A spline follows a curve more closely between the frames of a slow camera, and amplifies noise.
    """
    flat = values.reshape(len(values), -1)
    found = np.full((len(at), flat.shape[1]), np.nan)
    known = np.isfinite(flat)
    for columns in _alike(known):
        rows = known[:, columns[0]]
        if not rows.any():
            continue
        inside = _bridged(times[rows], at, times, longest_gap_s)
        found[np.ix_(inside, columns)] = _curve(times[rows], flat[rows][:, columns], at[inside], between)
    return found.reshape(len(at), *values.shape[1:])


def orientations_at(times: Floats, orientations: Floats, at: Floats, longest_gap_s: float = MAX_GAP_S) -> Floats:
    """(len(at), 4) of unit quaternions w, x, y, z (n, 4), along the shorter way at constant speed (slerp); else as
    `values_at`. A row with NaN in it is unknown."""
    rows = np.isfinite(orientations).all(axis=1)
    found = np.full((len(at), 4), np.nan)
    if not rows.any():
        return found
    known_s, known = times[rows], orientations[rows]
    inside = _bridged(known_s, at, times, longest_gap_s)
    after = np.clip(np.searchsorted(known_s, at[inside]), 1, max(len(known) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(known) - 1)
    step = known_s[after] - known_s[before]
    share = np.where(step > 0, (at[inside] - known_s[before]) / np.where(step > 0, step, 1.0), 0.0)
    found[inside] = _slerp(known[before], known[after], share)
    return found


def _alike(known: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Columns in groups that are known in the same rows, so that a skeleton without gaps is one group."""
    groups: dict[bytes, list[int]] = {}
    for column, rows in enumerate(np.packbits(known, axis=0).T):
        groups.setdefault(rows.tobytes(), []).append(column)
    return [np.array(columns) for columns in groups.values()]


def _bridged(known_s: Floats, at: Floats, times: Floats, longest_gap_s: float) -> NDArray[np.bool_]:
    """(len(at),): on a known instant, or between two that are near enough."""
    after = np.searchsorted(known_s, at)
    right = np.clip(after, 0, len(known_s) - 1)
    exact = known_s[right] == at
    usual = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    near = known_s[right] - known_s[np.maximum(after - 1, 0)] <= longest_gap_s + usual
    return np.asarray(exact | ((after > 0) & (after < len(known_s)) & near))


def _curve(known_s: Floats, known: Floats, at: Floats, between: Between) -> Floats:
    if between == "spline" and len(known_s) > 2:
        return np.asarray(CubicSpline(known_s, known)(at))
    return np.stack([np.interp(at, known_s, column) for column in known.T], axis=1)


def _slerp(first: Floats, second: Floats, share: Floats) -> Floats:
    cosine = (first * second).sum(axis=1)
    second = np.where(cosine[:, None] < 0, -second, second)
    angle = np.arccos(np.clip(np.abs(cosine), 0.0, 1.0))
    sine = np.sin(angle)
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    one = np.where(near, 1.0 - share, np.sin((1.0 - share) * angle) / safe)
    other = np.where(near, share, np.sin(share * angle) / safe)
    mixed = one[:, None] * first + other[:, None] * second
    return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))
