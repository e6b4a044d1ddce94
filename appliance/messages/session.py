"""`session/<id>`: how a session goes, from the moment the box is ready for its first exercise; or it was missed."""

from __future__ import annotations

from typing import Literal, Self
from uuid import UUID

from pydantic import model_validator

from appliance.messages.model import Count, Message, Name, Subject, Told, Utc
from appliance.messages.prescription import Side
from appliance.messages.result import Outcome

SessionState = Literal["ready", "recording", "scoring", "done", "abandoned", "missed"]


Pain = Literal["yes", "no", "not_answered"]
Effort = Literal["easy", "right", "hard", "not_answered"]


class Feedback(Message):
    """What the patient answered when asked after the session, by a raised hand or the button."""

    pain: Pain
    """Whether it hurt."""
    effort: Effort
    """How hard it was."""


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
    """A session's state after each step; the last one says `done` or `abandoned`.

    A prescription that expires before everything was done is told as a session of its own: `missed`.
    """

    id: UUID
    """Names this session."""
    box: str
    """The box's id."""
    prescription: UUID
    """The prescription that is followed."""
    subject: Subject
    """The patient, by the hospital's own identifier."""
    state: SessionState
    """`ready`: waiting for the patient to begin; `recording`; `scoring`; `done`; `abandoned`; `missed`."""
    reason: Told | None = None
    """Why it was abandoned or missed; null otherwise."""
    started: Utc | None
    """When the session began; null where it was missed."""
    at: Utc
    """When this state began. Copies and late arrivals are told by it."""
    current: Count | None = None
    """Which of `exercises` it is about, counted from 0; null when the session is over."""
    exercises: tuple[SessionExercise, ...]
    """In the prescribed order; where they were missed, those that were not done."""
    feedback: Feedback | None = None
    """The patient's own answers, with the last message; null where they were not asked."""
    feedback_missing: str | None = None
    """What kept the box from asking the patient, or from hearing an answer; null where nothing did."""
    synthetic: bool
    """True where the input was made up or replayed, not a person in front of the box."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.state in ("abandoned", "missed")) != bool(self.reason):
            raise ValueError("an abandoned or missed session needs a reason, and no other has one")
        if (self.state == "missed") != (self.started is None):
            raise ValueError("a missed session never began, and every other one did")
        if self.current is not None and self.current >= len(self.exercises):
            raise ValueError(f"current is {self.current}, and there are {len(self.exercises)} exercises")
        return self
