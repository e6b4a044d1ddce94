"""What the daemon has to say, as messages: durable ones into the outbox, alerts to the link."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from appliance.exercises import load_exercises, weights_version
from appliance.fhir.answers import answers_of
from appliance.fhir.observation import observation_of
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing
from appliance.messages.alert import Alert, AlertCode
from appliance.messages.health import Health
from appliance.messages.model import encode, fault_of
from appliance.messages.result import Result
from appliance.messages.session import Session
from appliance.messages.status import State, Status
from appliance.messages.topics import Topics
from appliance.quality.judgement import usable_judge

_log = logging.getLogger(__name__)

SOFTWARE = f"rehabbox {version('rehabbox')}"


def status_maker(drivers: dict[str, str]) -> Callable[[State, int], bytes]:
    """Makes the payloads of `status` for the link."""

    judge, sbom = usable_judge(), sbom_sha256()

    def make(state: State, connection: int) -> bytes:
        return encode(
            Status(
                state=state,
                connection=connection,
                since=datetime.now(UTC),
                software=SOFTWARE,
                model=judge.version if judge else None,
                weights=weights_version(load_exercises()),
                drivers=drivers,
                sbom_sha256=sbom,
            )
        )

    return make


def messages_of_results(topics: Topics, patient_system: str | None) -> Callable[[bytes], list[Outgoing]]:
    """Makes what goes out for a result of its payload, also of one that was made before the box was started.

    patient_system: see `appliance.fhir.observation`.
    """

    def make(payload: bytes) -> list[Outgoing]:
        document = json.loads(payload)
        exercise, subject = document["exercise"], document["subject"]
        messages = [Outgoing(topics.result(exercise), payload, subject)]
        try:
            observation = observation_of(Result.model_validate_json(payload), patient_system)
            messages.append(Outgoing(topics.fhir(exercise), encode(observation), subject))
        except ValidationError as error:  # another version wrote it: it goes out as it is
            _log.error("result %s is told without FHIR: %s", document["id"], fault_of(error))
        return messages

    return make


def sbom_sha256(prefix: Path = Path(sys.prefix)) -> str | None:
    """Digest of the bill of materials that the Debian package lays beside its environment; None where there is none."""
    bill = prefix / "sbom.cdx.json"
    return sha256(bill.read_bytes()).hexdigest() if bill.is_file() else None


class Reporter:
    """Any thread may use it."""

    def __init__(self, topics: Topics, outbox: Outbox, link: Link, patient_system: str | None = None) -> None:
        """patient_system: see `appliance.fhir.observation`."""
        self._topics, self._outbox, self._link = topics, outbox, link
        self._patient_system = patient_system
        self._raised: dict[AlertCode, str] = {}
        self._lock = threading.Lock()
        self.sync_error_ms: float | None = None
        """Of the last result."""

    @property
    def box(self) -> str:
        return self._topics.box

    def session(self, message: Session) -> None:
        self._outbox.put(self._topics.session(str(message.id)), encode(message), subject=message.subject)
        answers = answers_of(message, self._patient_system)
        if answers is not None:
            self._outbox.put(self._topics.fhir("session"), encode(answers), subject=message.subject)

    def result(self, session: str, place: str, make: Callable[[int], Result]) -> int:
        """On disk when it returns; `make` is given the sequence number it returns. See `Outbox.put_result`."""

        def payload(sequence: int) -> bytes:
            result = make(sequence)
            self.sync_error_ms = result.data_quality.sync_error_ms
            return encode(result)

        return self._outbox.put_result(session, place, payload)

    def health(self, health: Health, expiry_s: int) -> None:
        """Only while connected; nobody needs an old one."""
        self._link.publish_once(self._topics.health, encode(health), expiry_s)

    def raise_alert(self, code: AlertCode, what: str, remedy: str) -> None:
        """The same alert again changes nothing; its `since` stays."""
        with self._lock:
            if self._raised.get(code) == what:
                return
            self._raised[code] = what
            self._link.raise_alert(code, self._alert(code, "raised", what, remedy))

    def alert_if(self, code: AlertCode, what: str | None, remedy: str) -> None:
        """Raised with what is wrong, cleared with None."""
        if what is None:
            self.clear_alert(code)
        else:
            self.raise_alert(code, what, remedy)

    def clear_alert(self, code: AlertCode) -> None:
        with self._lock:
            what = self._raised.pop(code, None)
            if what is not None:
                self._link.clear_alert(code, self._alert(code, "cleared", what, "Nothing to do."))

    @staticmethod
    def _alert(code: AlertCode, state: str, what: str, remedy: str) -> bytes:
        fields = {"code": code, "state": state, "since": datetime.now(UTC), "what": what, "remedy": remedy}
        return encode(Alert.model_validate(fields))
