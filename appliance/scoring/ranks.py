"""How well a score ranks known levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def spearman(scores: NDArray[np.float64], levels: NDArray[np.float64]) -> float:
    """Spearman's rank correlation with midranks on ties; 0 where either has one value only: it ranks nothing."""
    a, b = (rankdata(values) - (np.size(values) + 1) / 2.0 for values in (scores, levels))
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0.0 else 0.0


def auc(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """The probability that a bad one's score is above a good one's; ties count half."""
    ranks = rankdata(np.concatenate([bad, good]))
    n_bad, n_good = np.size(bad), np.size(good)
    return float((ranks[:n_bad].sum() - n_bad * (n_bad + 1) / 2.0) / (n_bad * n_good))
