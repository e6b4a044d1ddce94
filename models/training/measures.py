"""Figures: how good outputs are, given what is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from appliance.scoring.ranks import auc

Floats = NDArray[np.float64]
_BINS = 10


def mean_auc(quality: Floats, correct: NDArray[np.bool_], group: NDArray[np.str_]) -> dict[str, float]:
    """By group, all persons together: the probability that a correct one has the higher quality."""
    return {
        str(name): auc(-quality[(group == name) & correct], -quality[(group == name) & ~correct])
        for name in np.unique(group)
    }


def shares(hits: NDArray[np.bool_], group: NDArray[np.str_]) -> dict[str, float]:
    """By group: the share of true ones."""
    return {str(name): float(hits[group == name].mean()) for name in np.unique(group)}


def mean_of(by_group: dict[str, float]) -> float:
    return float(np.mean(list(by_group.values()))) if by_group else float("nan")


def calibration_error(probability: Floats, correct: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal bins of the probability (Guo et al. 2017, with two classes)."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    total = 0.0
    for index in range(_BINS):
        inside = bins == index
        if inside.any():
            total += inside.mean() * abs(float(probability[inside].mean() - correct[inside].mean()))
    return total


def platt(logits: Floats, correct: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope (> 0) and offset that make probabilities of logits (Platt 1999)."""
    sign = np.where(correct, 1.0, -1.0)

    def loss(parameters: Floats) -> float:
        return float(np.logaddexp(0.0, -sign * (np.exp(parameters[0]) * logits + parameters[1])).mean())

    log_slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(log_slope)), float(offset)


def least_of(values: Floats, group: NDArray[np.str_], share: float) -> float:
    """Below it lies this share of the values, every group counting alike."""
    _, place, counts = np.unique(group, return_inverse=True, return_counts=True)
    order = np.argsort(values)
    below = np.cumsum((1.0 / counts / len(counts))[place[order]])
    return float(values[order[min(int(np.searchsorted(below, share, side="right")), len(values) - 1)]])
