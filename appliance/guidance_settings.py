"""How the patient is led through a session: `[guidance]` of the settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class GuidanceSettings(BaseModel):
    """What is said, and how long it is waited for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    countdown_s: Annotated[float, Field(ge=0, le=30)] = 3.0
    """Three, two, one; 0: a set begins with the first frame in which the patient stands right."""
    place: bool = True
    """Whether the box says where to stand; else a set begins with whoever is seen. Replays do not move."""
    hint_every_s: Annotated[float, Field(ge=1, le=60)] = 7.0
    """Between two hints about the place."""
    patience_s: Annotated[float, Field(ge=0, le=600)] = 30.0
    """Who is seen for so long, if not as well as should be, begins all the same: a table may hide the legs."""
    words_s: Annotated[float, Field(ge=0, le=30)] = 5.0
    """For the kind word after a set, or between two questions, before anything else is said."""
    ask: bool = True
    """Whether the patient is asked for pain and effort after a session."""
    answer_s: Annotated[float, Field(gt=0, le=120)] = 25.0
    """For an answer, from the beginning of the question."""
    change_s: Annotated[float, Field(ge=0, le=30)] = 5.0
    """For the patient to take an answer back, after the words that say it back."""
