"""Everything a training run can be told, in one place; the shipped model and every fold have the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEVELS = 5
MOVEMENTS = 17
"""None of the sixteen, then FineRehab's numbers."""
CLIP = 4.0
"""Inputs are standardised and cut at this many standard deviations, so that int8 has room for what is ordinary."""


@dataclass(frozen=True, slots=True)
class Part:
    """How one of the network's four parts is trained, by AdamW with a warm start and a cosine decay.

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


_JUDGED = Part(steps=5000, virtual=0.4, noise=0.0, dropout=0.0, hidden=48)
"""What learns a teacher's answers, also on mixtures, follows it better to persons it never saw without noise."""
_GRADES = Part(steps=20000, batch=96, noise=0.03, dropout=0.0, width=36, hidden=64, own=32)
_GRADERS = (
    replace(_GRADES, batch=128, dropout=0.02),
    replace(_GRADES, steps=12000, batch=128, noise=0.05, dropout=0.05),
    replace(_GRADES, steps=12000, batch=64, noise=0.02),
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """correct, level: how well it was done, which few persons teach. kind: of what is done. grades: of the A_ij.

    mixtures: of two real recordings (Zhang et al. 2018, mixup), how many the teacher is asked about for each one.
    graders: how those are trained that teach the network for the grades; unlike each other, for what their mean gains
    is what they differ by. graded_mixtures: of two virtual patients, how many they are asked about for each one.
    """

    correct: Part = _JUDGED
    level: Part = _JUDGED
    kind: Part = Part(steps=3500, strange=0.5, noise=0.15, width=28)
    grades: Part = _GRADES
    mixtures: int = 8
    graders: tuple[Part, ...] = _GRADERS
    graded_mixtures: int = 2
    seed: int = 7


_QUICK_GRADES = Part(steps=800, batch=64, noise=0.05, width=16, hidden=32, own=16)
QUICK = Recipe(
    correct=Part(steps=200, noise=0.2, dropout=0.3, hidden=16),
    level=Part(steps=200, noise=0.2, dropout=0.3, hidden=16),
    kind=Part(steps=600, width=16, hidden=32),
    grades=_QUICK_GRADES,
    mixtures=2,
    graders=(_QUICK_GRADES,),
    graded_mixtures=1,
)
