"""What the papers say of the same systems, on their own data; and what is not known to us of it."""

from __future__ import annotations

from dataclasses import dataclass

from models.training.baselines.runs import Task


@dataclass(frozen=True, slots=True)
class Published:
    """accuracy: 0..1, as stated. system: what reached it, where that is known to us."""

    task: Task
    accuracy: float
    system: str
    source: str


FINEREHAB = "FineRehab (CVPRW 2024), on its own data"
PUBLISHED = (
    Published("movement", 0.9263, "best of its systems; which is not known to us", FINEREHAB),
    Published("level", 0.719, "five levels; by which system is not known to us", FINEREHAB),
)
