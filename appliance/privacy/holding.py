"""Whose data lies on the box. It is one subject's at a time; the last one's goes before the next one's first set.

What the hospital does not have yet is the hospital's: it stays in the outbox until it is delivered, readable by nobody
on the box, and is scrubbed from it then. All else of the last subject is erased at once.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from appliance.hospital.outbox import Outbox
from appliance.inbound.answers import Answers, Request
from appliance.inbound.ledger import Departure, Ledger
from appliance.messages.answer import ErasedFile, Erasure
from appliance.messages.command import ForgetPatient
from appliance.privacy.erasing import erase_file, erase_tree, needles, search
from appliance.progress import Progress
from appliance.watchdog import Alive

_log = logging.getLogger(__name__)

SCRUB_S = 60.0
"""To write a large outbox anew (ours)."""
MOST_NAMED = 1000
"""Erased files that an answer names."""


class Holding:
    """`settle` and `forget` belong to the thread that runs sessions, `see_off` to the hospital's."""

    def __init__(self, state: Path, ledger: Ledger, progress: Progress, outbox: Outbox, answers: Answers) -> None:
        self._state, self._ledger, self._progress = state, ledger, progress
        self._outbox, self._answers = outbox, answers

    def settle(self, subject: str, alive: Alive) -> None:
        """From now on the box is this subject's. Raises `OSError` or `OutboxError` where the last one's data cannot be
        erased."""
        before = self._ledger.holder
        if before == subject:
            return
        erased = self._erase_recordings(before, alive)
        if before is not None:
            _log.info("hand-over: %d files of the last patient are erased", len(erased))
            self._ledger.depart(Departure(subject=before))
        self._ledger.hold(subject)

    def forget(self, command: ForgetPatient, request: Request, alive: Alive) -> None:
        """Answers `done` with the proof, or `accepted` while messages wait for the broker.

        The files' names, which hold the sessions' ids, are only in the last answer: the search would find them.
        Raises `OSError`, `OutboxError`.
        """
        sessions: tuple[str, ...] = ()
        erased: list[ErasedFile] = []
        if self._ledger.holder == command.subject:
            sessions = tuple(path.name for path in self._sessions.glob("*") if path.is_dir())
            erased = self._erase_recordings(command.subject, alive)
            self._ledger.hold(None)
        departure = Departure(
            subject=command.subject,
            until=command.expires if command.unsent == "deliver" else datetime.now(UTC),
            command=command.id,
            response_topic=request.response_topic,
            correlation=request.correlation,
            sessions=sessions,
            erased=tuple(erased[:MOST_NAMED]),
            files=len(erased),
            size=sum(file.bytes for file in erased),
        )
        self._ledger.depart(departure)
        if command.unsent == "deliver" and (unsent := self._outbox.unsent_of(command.subject)):
            self._answers.give(request, "accepted", command.id, erasure=_erasure(departure, unsent=unsent, erased=()))

    def see_off(self, alive: Alive) -> None:
        """Ends what has nothing left to wait for; to be called now and then. Raises `OutboxError`, `OSError`.

        A departure is over only when its answer waits for the broker: after a power cut it is answered all the same.
        """
        for departure in self._ledger.departures:
            over = departure.until is not None and departure.until <= datetime.now(UTC)
            erased = self._outbox.erase(departure.subject, unsent=over)
            if erased is None:
                continue
            alive(SCRUB_S)
            self._outbox.scrub()
            if departure.command is not None:
                self._prove(departure, len(erased), alive)
            self._ledger.departed(departure)

    @property
    def _sessions(self) -> Path:
        return self._state / "sessions"

    def _erase_recordings(self, left: str | None, alive: Alive) -> list[ErasedFile]:
        """Session files, progress, and what was set aside of a damaged outbox: all of it, whosever it is."""
        self._outbox.take_in_all()
        erased = erase_tree(self._sessions, self._state, alive)
        erased += [erase_file(path, self._state) for path in sorted(self._state.glob("outbox.sqlite.damaged-*"))]
        erased += self._progress.erase(left, self._state)
        return erased

    def _prove(self, departure: Departure, messages: int, alive: Alive) -> None:
        wanted = needles(departure.subject, departure.sessions)
        seen = search(self._state, wanted, alive, {self._ledger.file: self._ledger.without(departure)})
        proof = _erasure(
            departure, messages=messages, searched_files=seen.files, searched_bytes=seen.bytes, found=seen.found
        )
        request = Request("command/forget-patient", departure.response_topic, departure.correlation)
        if seen.found:
            self._answers.give(
                request, "failed", departure.command, erasure=proof, reason="the search found something left; see found"
            )
        else:
            self._answers.give(request, "done", departure.command, erasure=proof)


def _erasure(departure: Departure, **what: object) -> Erasure:
    known = {"files": departure.files, "bytes": departure.size, "erased": departure.erased}
    nothing = {"messages": 0, "unsent": 0, "searched_files": 0, "searched_bytes": 0, "found": ()}
    return Erasure.model_validate(known | nothing | what)
