"""What a search in float32 leaves open, settled in float64: the exact programme among the few cells in question."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.scoring.band import TO_GRID
from hal.kernels import exact_kernel, summing_kernel


@exact_kernel
def corridor(
    accumulated: NDArray[np.float32],
    columns: int,
    smoothness: float,
    reach: NDArray[np.int32],
    bound: float,
    most: int,
    first: NDArray[np.int32],
    last: NDArray[np.int32],
) -> int:
    """The columns first .. last of each frame that paths within `bound` of the best one use; returns how many.

    accumulated, reach: as `search` leaves them. Stops, and returns more than `most`, once they are more.
    """
    frames = len(accumulated)
    behind, ahead = np.full(columns, np.inf), np.full(columns, np.inf)
    end = accumulated[frames - 1]
    least = np.inf
    for s in range(columns):
        least = min(least, float(end[s]))
    low, high = columns, -1
    for s in range(columns):
        ahead[s] = end[s] - least
        if ahead[s] <= bound:
            low, high = min(low, s), max(high, s)
    cells = 0
    for t in range(frames - 1, -1, -1):
        first[t], last[t] = low, high
        cells += high - low + 1
        if t == 0 or cells > most:
            break
        far = reach[t]
        low, high = columns, -1
        for s in range(first[t], last[t] + 1):
            spare = bound - ahead[s]
            ahead[s] = np.inf
            if spare < 0.0:
                continue
            start = min(s + 1, columns - 1)
            least = np.inf
            for a in range(start, max(s - far, 0) - 1, -1):
                least = min(least, _through(accumulated, t - 1, smoothness, a, s))
            for a in range(start, -1, -1):
                over = _through(accumulated, t - 1, smoothness, a, s) - least
                if over <= spare:
                    behind[a] = min(behind[a], over + bound - spare)
                    low, high = min(low, a), max(high, a)
                elif s - a > far:
                    break
        behind, ahead = ahead, behind
    return cells


@exact_kernel
def settle(
    base: NDArray[np.float64],
    reference: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: int,
    smoothness: float,
    first: NDArray[np.int32],
    last: NDArray[np.int32],
    back: NDArray[np.int32],
    path: NDArray[np.int64],
) -> float:
    """The programme of section 4 among the columns first .. last: fills `path` with columns and returns the cost."""
    frames = len(first)
    flat = weights.reshape(weights.size)
    widest = 0
    for t in range(frames):
        widest = max(widest, last[t] - first[t] + 1)
    before, here = np.empty(widest), np.empty(widest)
    cell = 0
    for t in range(frames):
        for s in range(first[t], last[t] + 1):
            u = min(max(t + s - window, 0), len(reference) - 1)
            squares = _squares(base, t, reference, u, flat)
            if np.isnan(squares):
                squares = _shared_squares(base[t], reference[u], weights)
            cost = (np.sqrt(squares) + TO_GRID) - TO_GRID
            if t > 0:
                least = np.inf
                for a in range(first[t - 1], min(last[t - 1], s + 1) + 1):
                    jump = float(s - a)
                    tried = before[a - first[t - 1]] + smoothness * (jump * jump)
                    if tried < least:
                        least, back[cell] = tried, a
                cost += least
            here[s - first[t]] = cost
            cell += 1
        before, here = here, before
    s = first[frames - 1] + int(np.argmin(before[: last[frames - 1] - first[frames - 1] + 1]))
    least = float(before[s - first[frames - 1]])
    for t in range(frames - 1, -1, -1):
        path[t] = s
        cell -= last[t] - first[t] + 1
        s = back[cell + s - first[t]]
    return least


@exact_kernel
def _through(accumulated: NDArray[np.float32], t: int, smoothness: float, a: int, s: int) -> float:
    """The cost of arriving at column s from column a of frame t."""
    jump = float(s - a)
    cost: float = accumulated[t, a] + smoothness * (jump * jump)
    return cost


@summing_kernel
def _squares(
    base: NDArray[np.float64], t: int, reference: NDArray[np.float64], u: int, weights: NDArray[np.float64]
) -> float:
    total = 0.0
    for k in range(len(weights)):
        difference = base[t, k] - reference[u, k]
        total += weights[k] * (difference * difference)
    return total


@exact_kernel
def _shared_squares(a: NDArray[np.float64], b: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """As `_squares` over the joints that both show, divided by their weight; weights: (joints, coordinates of each)."""
    joints, size = weights.shape
    total, shared = 0.0, 0.0
    for j in range(joints):
        part = 0.0
        for k in range(size):
            difference = a[j * size + k] - b[j * size + k]
            part += weights[j, k] * (difference * difference)
        if not np.isnan(part):
            total += part
            shared += weights[j].sum()
    return total / shared
