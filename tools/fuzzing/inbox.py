"""Everything a box is sent by its hospital: prescriptions, references and commands, by the box's own inbox."""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import samples
from appliance.demo.instructor import record_reference
from appliance.hospital.authority import Authority
from appliance.hospital.events import Received
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.settings import BrokerSettings
from appliance.hospital.signature import digest_of_bytes, sign, statement
from appliance.inbound.answers import Answers
from appliance.inbound.commands import Commands
from appliance.inbound.corrections import Corrections
from appliance.inbound.hooks import Hooks
from appliance.inbound.inbox import Inbox
from appliance.inbound.ledger import Ledger
from appliance.messages.answer import Answer
from appliance.messages.command import COMMANDS
from appliance.messages.model import encode
from appliance.messages.reference import Reference
from appliance.messages.topics import Topics
from appliance.orders import Orders
from appliance.privacy.holding import Holding
from appliance.progress import Progress
from appliance.references import ReferenceFolder
from appliance.reporter import Reporter
from breaking import broken

TOPICS = Topics("demo", "box-1")
PATIENT = "patient-4711"
PARAMETERS: dict[str, dict[str, Any]] = {
    "record-reference": {"exercise": "squat", "side": "both", "repetitions": 5, "takes": 2},
    "set-log-level": {"level": "ERROR"},
    "update": {"version": "0.2.0"},
    "forget-patient": {"subject": PATIENT, "unsent": "deliver"},
    "correct-result": {
        "result": "0d1b6d57-2c9f-4f0e-b6c5-5a1b0c3f7e42",
        "action": "amend",
        "by": PATIENT,
        "reason": "seen",
        "score": 2.5,
    },
}
_WRONG: tuple[Any, ...] = (
    None, True, 0, -1, 1e308, 10**400, "", "0", "\0", "x" * 5000, [], {}, [[]], {"": None}, "2026-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "nan", ["patient"], {"id": "x"},
)  # fmt: skip


def inbox(chance: random.Random) -> Callable[[], None]:
    """One box for all inputs. What is refused must change nothing, quote nobody, and be answered once."""
    logging.disable(logging.CRITICAL)
    box = _Box(Path("box"))

    def feed() -> None:
        topic, whole = box.valid(chance)
        payload = whole
        kind = chance.randrange(8)
        if kind < 4:
            payload = broken(chance, whole, b'{"a":[[1,{"b":"' + whole)
        elif kind < 6:
            payload = json.dumps(_changed(chance, json.loads(whole))).encode()
        elif kind == 6:
            payload = _deep(chance, whole)
        if chance.random() < 0.1:
            topic = chance.choice([*box.topics, TOPICS.result("squat"), "rehabbox/1/demo/box-2/prescription", "x", ""])
        response = chance.choice([None, TOPICS.answer("it"), "rehabbox/1/demo/box-2/answer/it", "#", "\0"])
        box.give(Received(topic, payload, chance.random() < 0.1, response, chance.choice([None, b"", b"c" * 2000])))

    return feed


def _changed(chance: random.Random, document: Any) -> Any:
    """One value of it, somewhere, is another; or gone, or there twice."""
    if isinstance(document, dict) and document and chance.random() < 0.9:
        key = chance.choice(list(document))
        kind = chance.randrange(10)
        if kind == 0:
            return {name: value for name, value in document.items() if name != key}
        if kind == 1:
            return document | {key + chance.choice(("", "s", "\0")): document[key], "more": 1}
        return document | {key: _changed(chance, document[key])}
    if isinstance(document, list) and document and chance.random() < 0.9:
        at = chance.randrange(len(document))
        grown = document * chance.choice((1, 1, 60))
        return [*grown[:at], _changed(chance, document[at]), *grown[at + 1 :]]
    return chance.choice(_WRONG)


def _deep(chance: random.Random, whole: bytes) -> bytes:
    depth = chance.choice((17, 200, 100_000))
    opening = chance.choice((b"[", b'{"id":', b'[{"a":'))
    return chance.choice((opening * depth, whole[:-1] + b',"more":' + opening * depth, b'"' + b"\\" * depth))


class _Box:
    """All real parts of a box but devices, sessions and a running broker."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._key, self._folder = Ed25519PrivateKey.generate(), folder
        (folder / "take").mkdir(parents=True)
        record_reference("squat", "both", 1, 8.0, folder / "take")
        self._take = (folder / "take" / "squat.csv.gz").read_bytes()
        authority = Authority(folder / "authority")
        files = authority.client("box-1")
        nowhere = BrokerSettings(
            host="localhost", port=1, ca=authority.certificate, certificate=files.certificate, key=files.key,
            site="demo", box="box-1",
        )  # fmt: skip
        state = folder / "state"
        self._outbox = Outbox(state, lambda payload: [])
        reporter = Reporter(TOPICS, self._outbox, Link(nowhere, self._outbox, lambda state, number: b""))
        progress = Progress(state / "progress.json")
        self._orders, ledger = Orders(progress), Ledger(state / "accepted.json")
        answers = Answers(TOPICS, self._outbox)
        holding = Holding(state, ledger, progress, self._outbox, answers)
        nothing: Any = None
        corrections = Corrections(self._outbox, answers)
        commands = Commands(nothing, nothing, self._orders, ledger, answers, holding, nothing, corrections, Hooks())
        references = ReferenceFolder(folder / "references")
        self._inbox = Inbox(
            TOPICS, (self._key.public_key(),), references, ledger, self._orders, reporter, answers, commands, holding
        )
        digest = digest_of_bytes(self._take)
        self.topics = [TOPICS.prescription, TOPICS.reference(digest), *map(TOPICS.command, COMMANDS)]

    def valid(self, chance: random.Random) -> tuple[str, bytes]:
        """A topic and what could be sent there now."""
        topic, now = chance.choice(self.topics), datetime.now(UTC)
        times = {"issued": now.isoformat(), "expires": (now + timedelta(hours=1)).isoformat()}
        new_id = str(UUID(bytes=chance.randbytes(16)))
        if topic == TOPICS.prescription:
            return topic, json.dumps(samples.PRESCRIPTION | times | {"id": new_id, "subject": PATIENT}).encode()
        if "/reference/" in topic:
            return topic, encode(Reference.model_construct(
                digest=digest_of_bytes(self._take), exercise="squat", issued=now, takes=(self._take,),
                signature=sign(self._key, statement("squat", now, [self._take])),
            ))  # fmt: skip
        name = topic.rpartition("/")[2]
        return topic, json.dumps({"id": new_id, "box": "box-1", **times} | PARAMETERS.get(name, {})).encode()

    def give(self, received: Received) -> None:
        before, after = self._held(), self._outbox.last_id
        self._inbox.receive(received)
        found = self._outbox.pending(after)
        answers = [Answer.model_validate_json(queued.payload) for queued in found]
        for queued, answer in zip(found, answers, strict=True):
            assert queued.topic.startswith(TOPICS.answer("")), queued.topic
            assert answer.reason is None or (answer.reason.isprintable() and len(answer.reason) < 1000), answer.reason
            assert PATIENT.encode() not in queued.payload, queued.payload
            self._outbox.delivered(queued.id)
        assert len(answers) <= 1, answers
        silent = not received.payload or received.retained or received.topic.startswith(TOPICS.command(""))
        assert answers or silent, "nothing was answered"
        if not answers and not received.retained and received.topic.startswith(TOPICS.command("")):
            assert self._held() != before, "neither answered nor enlisted"
        begun = answers and answers[0].code == "unknown_result"  # told by who knows the results; its id is used up
        if answers and answers[0].outcome == "refused" and not begun:
            assert self._held() == before, "a refused message changed something"
        self._orders._tasks.clear()  # sessions would do them

    def _held(self) -> tuple[Any, ...]:
        state = [self._folder / "state" / name for name in ("accepted.json", "progress.json")]
        files = [path for path in (*state, *(self._folder / "references").glob("*")) if path.exists()]
        current, enlisted = self._orders.current, len(self._orders._tasks)
        return current, enlisted, logging.getLogger().level, {path: path.read_bytes() for path in files}
