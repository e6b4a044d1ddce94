"""Which retained alerts the broker should hold, across connections and restarts of the box."""

from __future__ import annotations

import logging
import threading
from functools import partial

from appliance.errors import OutboxError
from appliance.hospital.connection import Connection
from appliance.hospital.outbox import Outbox
from appliance.messages.topics import Topics

_log = logging.getLogger(__name__)


class Alerts:
    """Any thread may raise and clear; `send` belongs to the connection's.

    The codes are noted in the outbox, so that an alert that was raised before a power cut is taken off the broker
    after it, unless it is raised again. Where the outbox cannot be written (that may be the alert) there is no note.
    """

    def __init__(self, outbox: Outbox, topics: Topics) -> None:
        self._outbox = outbox
        self._topics = topics
        self._lock = threading.Lock()
        self._raised: dict[str, bytes] = {}
        self._cleared: dict[str, bytes] = dict.fromkeys(outbox.alert_codes(), b"")
        self._due = set(self._cleared)

    def raise_(self, code: str, payload: bytes) -> None:
        with self._lock:
            if self._raised.get(code) == payload:
                return
            self._raised[code] = payload
            self._cleared.pop(code, None)
            self._due.add(code)
        try:
            self._outbox.note_alert(code)
        except OutboxError as error:
            _log.warning("alert %s is not noted: %s", code, error)

    def clear(self, code: str, payload: bytes) -> None:
        with self._lock:
            if self._raised.pop(code, None) is not None:
                self._cleared[code] = payload
                self._due.add(code)

    def send_all_again(self) -> None:
        """To be called for each new connection: what the last one carried may not have arrived."""
        with self._lock:
            self._due = {*self._raised, *self._cleared}

    def send(self, connection: Connection) -> None:
        """Publishes what changed since the last call."""
        with self._lock:
            due = [(code, self._raised.get(code), self._cleared.get(code, b"")) for code in sorted(self._due)]
            self._due.clear()
        for code, raised, cleared in due:
            topic = self._topics.alert(code)
            if raised is not None:
                connection.publish(topic, raised, partial(self._answered, topic), retain=True)
                continue
            if cleared:
                connection.publish(topic, cleared, partial(self._answered, topic))
            connection.publish(topic, b"", partial(self._taken_off, code), retain=True)

    def _answered(self, topic: str, refusal: str | None) -> None:
        if refusal is not None:
            _log.error("the broker refuses %s: %s", topic, refusal)

    def _taken_off(self, code: str, refusal: str | None) -> None:
        self._answered(self._topics.alert(code), refusal)
        with self._lock:
            if refusal is not None or self._cleared.pop(code, None) is None:
                return
        self._outbox.forget_alert(code)
