"""Several networks that teach one (distillation, Hinton et al. 2015).

The mean of networks that differ by chance grades unseen virtual persons better than each of them; a network that learns
its answers, also on mixtures of two persons, keeps most of that at the size of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.training.blocks import Floats
from models.training.lessons import Inputs, Lessons

if TYPE_CHECKING:  # a trained network is handed in; the box's environment has none
    import keras

_TRUST = 0.7
"""How much their answer counts where the label is known too."""
_LEAST_SHARE = 0.5
_CHUNK = 4000


def schooled(lessons: Lessons, networks: Sequence[keras.Model], head: str, mixtures: int, seed: int) -> Lessons:
    """The rows with labels between the known ones and the networks' answers, and `mixtures` times as many mixtures of
    two with the answers."""
    label, weight = lessons.labels[head]
    rng = np.random.default_rng(seed)
    some, others = rng.integers(0, len(label), (2, mixtures * len(label)))
    mixed = _mixed(lessons.shown, some, others, rng.uniform(_LEAST_SHARE, 1.0, (len(some), 1)).astype(np.float32))
    own = (1.0 - _TRUST) * label + _TRUST * _mean(networks, lessons.shown, head)
    return replace(
        lessons,
        shown=(np.concatenate([lessons.shown[0], mixed[0]]), np.concatenate([lessons.shown[1], mixed[1]])),
        labels={head: (np.concatenate([own, _mean(networks, mixed, head)]), np.concatenate([weight, weight[some]]))},
        source=np.concatenate([lessons.source, lessons.source[some]]),
        kind=np.concatenate([lessons.kind, lessons.kind[some]]),
    )


def _mixed(shown: Inputs, some: NDArray[np.intp], others: NDArray[np.intp], share: Floats) -> Inputs:
    sequence, vector = shown
    mixed = np.empty((len(some), *sequence.shape[1:]), np.float16)
    for at in range(0, len(some), _CHUNK):
        rows, of = slice(at, at + _CHUNK), share[at : at + _CHUNK, :, None].astype(np.float16)
        mixed[rows] = of * sequence[some[rows]] + (np.float16(1.0) - of) * sequence[others[rows]]
    return mixed, np.asarray(share * vector[some] + (1.0 - share) * vector[others], np.float32)


def _mean(networks: Sequence[keras.Model], shown: Inputs, head: str) -> Floats:
    """(rows, n) probabilities."""
    sequence, vector = shown
    answers = []
    for at in range(0, len(vector), _CHUNK):
        chunk = [sequence[at : at + _CHUNK].astype(np.float32), vector[at : at + _CHUNK]]
        logits = [network.predict(chunk, batch_size=500, verbose=0)[head] for network in networks]
        answers.append(np.mean(1.0 / (1.0 + np.exp(-np.array(logits))), axis=0))
    return np.asarray(np.concatenate(answers), np.float32)
