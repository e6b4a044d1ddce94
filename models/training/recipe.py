"""Everything a training run can be told, in one place; the shipped model and every fold have the same."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = 5
MOVEMENTS = 17
"""None of the sixteen, then FineRehab's numbers."""
CLIP = 4.0
"""Inputs are standardised and cut at this many standard deviations, so that int8 has room for what is ordinary."""


@dataclass(frozen=True, slots=True)
class Part:
    """How one of the network's three parts is trained, by AdamW with a warm start and a cosine decay.

    steps: batches; each has as many rows of every real data set, and `virtual` times as many of virtual patients.
    strange: the share of these that is not done as asked; 0 takes it as it comes. noise: standard deviation added to
    standardised inputs. width, hidden: of the convolutions, the dense layers. own: of what looks at one part of the
    body by itself.
    """

    steps: int
    batch: int = 96
    virtual: float = 1.0
    strange: float = 0.0
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    noise: float = 0.1
    dropout: float = 0.1
    width: int = 0
    hidden: int = 64
    own: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """quality: of correctness and level, which few persons teach. kind: of what is done. grades: of the A_ij.

    mixtures: of two real recordings (Zhang et al. 2018, mixup), how many the teacher is asked about for each one.
    """

    quality: Part = Part(steps=1200, virtual=0.4, hidden=48)
    kind: Part = Part(steps=3500, strange=0.5, noise=0.15, width=28)
    grades: Part = Part(steps=5000, batch=64, width=36, hidden=64, own=32)
    mixtures: int = 2
    seed: int = 7


QUICK = Recipe(
    quality=Part(steps=200, noise=0.2, dropout=0.3, hidden=16),
    kind=Part(steps=200, width=8, hidden=16),
    grades=Part(steps=200, width=8, hidden=16, own=8),
)
