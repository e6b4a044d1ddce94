"""`session/<id>`: how a session goes, from the moment the box is ready for its first exercise."""

from __future__ import annotations

from typing import Literal, Self
from uuid import UUID

from pydantic import model_validator

from appliance.messages.model import Count, Message, Name, Subject, Utc
from appliance.messages.prescription import Side
from appliance.messages.result import Outcome

SessionState = Literal["ready", "recording", "scoring", "done", "abandoned"]


class SessionExercise(Message):
    """How far one prescribed exercise has come."""

    exercise: Name
    """The exercise's id."""
    side: Side
    """The side that moves."""
    repetitions: Count
    """How many were prescribed."""
    outcome: Outcome | None = None
    """Null until it is over."""
    result: UUID | None = None
    """Id of its result; null until there is one."""


class Session(Message):
    """A session's state after each step; the last one says `done` or `abandoned`."""

    id: UUID
    """Names this session."""
    box: str
    """The box's id."""
    prescription: UUID
    """The prescription that is followed."""
    subject: Subject
    """The patient, by the hospital's own identifier."""
    state: SessionState
    """`ready`: waiting for the patient to begin; `recording`; `scoring`; `done`; `abandoned`."""
    reason: str | None = None
    """Why it was abandoned; null otherwise."""
    started: Utc
    """When the session began."""
    at: Utc
    """When this state began. Copies and late arrivals are told by it."""
    current: Count | None = None
    """Which of `exercises` it is about, counted from 0; null when the session is over."""
    exercises: tuple[SessionExercise, ...]
    """In the prescribed order."""
    synthetic: bool
    """True where the input was made up or replayed, not a person in front of the box."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.state == "abandoned") != bool(self.reason):
            raise ValueError("an abandoned session needs a reason, and no other has one")
        if self.current is not None and self.current >= len(self.exercises):
            raise ValueError(f"current is {self.current}, and there are {len(self.exercises)} exercises")
        return self
