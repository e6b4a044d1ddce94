"""Everything the hospital sends comes in here: by its topic to the part that checks it, and to an answer."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.errors import RecordingError, RefusedError
from appliance.hospital.events import Received
from appliance.inbound.answers import KINDS, Answers, Request
from appliance.inbound.commands import Commands, admit_command
from appliance.inbound.ledger import Ledger
from appliance.inbound.prescriptions import admit_prescription
from appliance.inbound.references import admit_reference, digest_in
from appliance.messages.topics import Topics, address_of
from appliance.orders import Orders
from appliance.privacy.holding import Holding
from appliance.references import ReferenceFolder
from appliance.reporter import Reporter

_log = logging.getLogger(__name__)


class Inbox:
    """One thread hears the hospital. What it refuses changes nothing and is answered.

    A retained message comes again with each connection: what was refused is not answered a second time.
    """

    def __init__(
        self,
        topics: Topics,
        keys: Sequence[Ed25519PublicKey],
        references: ReferenceFolder,
        ledger: Ledger,
        orders: Orders,
        reporter: Reporter,
        answers: Answers,
        commands: Commands,
        holding: Holding,
    ) -> None:
        self._topics, self._keys, self._references, self._ledger = topics, keys, references, ledger
        self._orders, self._reporter, self._answers = orders, reporter, answers
        self._commands, self._holding = commands, holding
        self._refused: dict[str, bytes] = {}

    def receive(self, received: Received) -> None:
        """Raises nothing for what it was sent."""
        request = Request.of(received, self._topics)
        address = address_of(received.topic)
        ours = address is not None and (address.site, address.box) == (self._topics.site, self._topics.box)
        if address is None or not ours or address.kind not in KINDS:
            self._not_ours(request)
            return
        try:
            self._answers.check(request)
            match address.kind:
                case "prescription":
                    self._prescription(received, request)
                case "reference":
                    self._reference(address.name, received, request)
                case _:
                    command = admit_command(address.name, received, self._topics.box, self._ledger)
                    self._commands.carry_out(command, request)
            self._refused.pop(received.topic, None)
        except RefusedError as error:
            self._refuse(address.kind, received, request, error)

    def _refuse(self, kind: str, received: Received, request: Request, error: RefusedError) -> None:
        seen = hashlib.sha256(received.payload + b"\0" + (received.correlation or b"")).digest()
        if received.retained and self._refused.get(received.topic) == seen:
            return
        accepted = self._ledger.accepted
        if kind == "prescription" and error.code == "expired" and accepted and accepted.id == error.request:
            _log.info("the prescription at the broker is over")
            return
        self._refused[received.topic] = seen
        _log.warning("%s refused: %s", kind, error)
        self._answers.refuse(request, error)
        if kind == "prescription":
            what = f"A prescription was refused: {error}."
            self._reporter.raise_alert("prescription_refused", what, "Correct it and send it again.")
        elif kind == "reference":
            what = f"A reference was refused: {error}."
            self._reporter.raise_alert("reference_refused", what, "Sign it with the hospital's key and send it again.")

    def _prescription(self, received: Received, request: Request) -> None:
        if not received.payload:
            self._ledger.withdraw()
            self._orders.receive(None)
            self._reporter.clear_alert("prescription_refused")
            return
        prescription, new = admit_prescription(received.payload, self._ledger)
        self._reporter.clear_alert("prescription_refused")
        if new:
            self._ledger.accept(prescription)
        self._orders.receive(prescription)
        if self._ledger.holder not in (None, prescription.subject):
            self._orders.enlist(partial(self._holding.settle, prescription.subject))
        self._remove_withdrawn()
        if new or not received.retained:
            self._answers.give(request, "accepted", prescription.id)

    def _reference(self, level: str, received: Received, request: Request) -> None:
        try:
            if not received.payload:
                if self._references.withdraw(digest_in(level)):
                    self._remove_withdrawn()
            else:
                new = admit_reference(level, received.payload, self._keys, self._references)
                if new:
                    self._orders.retry()
                if new or not received.retained:
                    self._answers.give(request, "accepted")
        except (RecordingError, OSError) as error:
            self._answers.give(request, "failed", reason=" ".join(str(error).split()))
            return
        if not any("/reference/" in topic for topic in self._refused if topic != received.topic):
            self._reporter.clear_alert("reference_refused")

    def _remove_withdrawn(self) -> None:
        current = self._orders.current
        needed = frozenset(item.reference for item in current.exercises) if current is not None else frozenset[str]()
        try:
            for digest in self._references.remove_withdrawn(needed):
                _log.info("reference %s was withdrawn and is removed", digest)
        except OSError as error:
            _log.warning("a withdrawn reference cannot be removed: %s", error)

    def _not_ours(self, request: Request) -> None:
        """Answered to the box's own hospital, not where a stranger's message wants the answer to go."""
        _log.warning("a message on a topic that is not for this box is refused")
        refused = RefusedError("this topic is not for this box", "wrong_topic")
        self._answers.refuse(Request(request.name, None, request.correlation), refused)
        self._reporter.raise_alert(
            "foreign_message",
            "The broker gave this box a message that is not for it.",
            "Check the broker's rules: a box may read its own topics only.",
        )
