"""`command/update`: answered when it was handed on to the updater, and once more when that says what came of it.

In between the box restarts, as another version or as the one before.
"""

from __future__ import annotations

from appliance.errors import RefusedError
from appliance.inbound.answers import Answers, Request
from appliance.inbound.hooks import Updater
from appliance.inbound.ledger import AskedUpdate, Ledger
from appliance.messages.command import Update


class Updates:
    """Belongs to the thread that hears the hospital. updater: None where this box has none."""

    def __init__(self, updater: Updater | None, ledger: Ledger, answers: Answers) -> None:
        self._updater, self._ledger, self._answers = updater, ledger, answers

    def ask(self, command: Update, request: Request) -> None:
        """Raises `RehabBoxError`, `OSError`: nothing was begun then."""
        if self._updater is None:
            reason = "no updater is installed on this box"
            self._answers.give(request, "unsupported", command.id, reason=reason)
            return
        detail = self._updater.update(command.version, command.id, command.expires)
        if (before := self._ledger.update) is not None:
            reason = "another update was asked for before this one was over; that one's answer tells what is installed"
            self._answers.give(_request(before), "failed", before.command, reason=reason)
        self._ledger.await_update(
            AskedUpdate(command=command.id, response_topic=request.response_topic, correlation=request.correlation)
        )
        self._answers.give(request, "accepted", command.id, detail=detail)

    def follow_up(self) -> None:
        """Tells what came of the one that was asked for, once; to be called now and then."""
        asked = self._ledger.update
        if asked is None or self._updater is None:
            return
        outcome = self._updater.outcome(asked.command)
        if outcome is None:
            return
        self._ledger.await_update(None)
        if outcome.expired:
            self._answers.refuse(_request(asked), RefusedError(outcome.what, "expired", asked.command))
        elif outcome.installed:
            self._answers.give(_request(asked), "done", asked.command, detail=outcome.what)
        else:
            self._answers.give(_request(asked), "failed", asked.command, reason=outcome.what)


def _request(asked: AskedUpdate) -> Request:
    return Request("command/update", asked.response_topic, asked.correlation)
