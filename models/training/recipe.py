"""Everything a training run can be told, in one place; the shipped model and every fold have the same."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = 5
MOVEMENTS = 17
"""None of the sixteen, then FineRehab's numbers."""
CLIP = 4.0
"""Inputs are standardised and cut at this many standard deviations, so that int8 has room for what is ordinary."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """epochs, batch, learning_rate: of AdamW, with a cosine decay. width: of the convolutions. dropout: before the
    heads that few persons teach, a quarter of it before the others. noise: standard deviation added to the
    standardised inputs. shift: of a sequence along its phases, at most.
    """

    epochs: int = 40
    batch: int = 128
    learning_rate: float = 2e-3
    width: int = 48
    dropout: float = 0.5
    weight_decay: float = 1e-3
    noise: float = 0.1
    shift: int = 3
    seed: int = 7


QUICK = Recipe(epochs=15, width=16)
