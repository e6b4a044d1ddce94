"""How a session is told: to the hospital as messages, to the patient by light and sound."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from appliance.errors import OutboxError
from appliance.messages.prescription import Prescription
from appliance.messages.result import Outcome
from appliance.messages.session import Feedback, SessionExercise, SessionState
from appliance.messages.session import Session as SessionMessage
from appliance.progress import Progress
from appliance.reporter import Reporter
from hal.recovering_indicator import RecoveringIndicator
from hal.types import Cue, CueKind

_log = logging.getLogger(__name__)


class SessionVoice:
    """One session's. A disk that refuses a message does not hold up the session: results tell what came of it."""

    def __init__(
        self,
        session: UUID,
        prescription: Prescription,
        synthetic: bool,
        reporter: Reporter,
        progress: Progress,
        indicator: RecoveringIndicator,
    ) -> None:
        self._session, self._prescription, self._synthetic = session, prescription, synthetic
        self._reporter, self._progress, self._indicator = reporter, progress, indicator
        self._started = datetime.now(UTC)
        self.feedback: Feedback | None = None
        """What the patient answered, once asked."""
        self.feedback_missing: str | None = None
        """What kept the box from asking."""
        self._exercises = [
            SessionExercise(exercise=item.id, side=item.side, repetitions=item.repetitions)
            for item in prescription.exercises
        ]

    def both(self, state: Literal["ready", "scoring"], index: int) -> None:
        """The hospital and the patient hear of an exercise's state. index: of the prescription's exercise."""
        self.say(state, index)
        self.show(state, index)

    def show(self, kind: CueKind, index: int, hint: str = "") -> None:
        """The patient alone. hint: one of the cue's `HINTS`."""
        item = self._prescription.exercises[index]
        detail = {"number": str(index + 1)} if kind == "ready" else {"hint": hint} if hint else {}
        self._indicator.show(Cue(kind, item.id, item.side, item.repetitions, detail))

    def wonder(self, kind: CueKind, hint: str) -> None:
        """Of the session as a whole: a question, and what came of it."""
        self._indicator.show(Cue(kind, detail={"hint": hint} if hint else {}))

    def say(self, state: SessionState, current: int | None = None, reason: str | None = None) -> None:
        """The hospital alone."""
        _log.info("session %s: %s%s", self._session, state, f" ({reason})" if reason else "")
        message = SessionMessage(
            id=self._session,
            box=self._reporter.box,
            prescription=self._prescription.id,
            subject=self._prescription.subject,
            state=state,
            reason=reason,
            started=self._started,
            at=datetime.now(UTC),
            current=current,
            exercises=tuple(self._exercises),
            feedback=self.feedback,
            feedback_missing=self.feedback_missing,
            synthetic=self._synthetic,
        )
        self._progress.open_session(message)
        try:
            self._reporter.session(message)
        except OutboxError as error:
            self._reporter.raise_alert("storage_failed", str(error), "Free disk space on the box.")

    def finish(self, index: int, outcome: Outcome, result: UUID, quiet: bool = False) -> None:
        """An exercise is over: the patient hears it now (unless they know), the hospital with the next message."""
        self._exercises[index] = self._exercises[index].model_copy(update={"outcome": outcome, "result": result})
        if not quiet:
            self.show("abandoned" if outcome == "abandoned" else "done", index)

    def close(self, reason: str | None) -> None:
        """The session is over; reason: why it was abandoned, if it was."""
        self.say("abandoned" if reason else "done", reason=reason)
        self._progress.close_session()
        self._indicator.show(Cue("waiting"))
