"""A prescription whose time is over before everything was done: the hospital hears of it, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid5

from appliance.messages.prescription import Prescription
from appliance.messages.session import Session, SessionExercise


def missed_session(box: str, prescription: Prescription, remaining: Sequence[int], synthetic: bool) -> Session:
    """The message that says so; without a result. remaining: the exercises that were not done, by index.

    Its id is made of the prescription's: told twice after a power cut, it is still one.
    """
    missed = [prescription.exercises[index] for index in remaining]
    return Session(
        id=uuid5(prescription.id, "missed"),
        box=box,
        prescription=prescription.id,
        subject=prescription.subject,
        state="missed",
        reason=f"the prescription expired, and {len(missed)} of {len(prescription.exercises)} exercises were not done",
        started=None,
        at=datetime.now(UTC),
        exercises=tuple(
            SessionExercise(exercise=item.id, side=item.side, repetitions=item.repetitions) for item in missed
        ),
        synthetic=synthetic,
    )
