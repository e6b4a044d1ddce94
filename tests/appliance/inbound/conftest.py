"""A box's inbox with all its real parts but devices and a running broker: what it is given, and what it then holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
from appliance.messages.model import encode
from appliance.messages.reference import Reference
from appliance.messages.topics import Topics
from appliance.orders import Orders
from appliance.privacy.holding import Holding
from appliance.progress import Progress
from appliance.references import ReferenceFolder
from appliance.reporter import Reporter, messages_of_results

TOPICS = Topics("demo", "box-1")
KEY = Ed25519PrivateKey.generate()


class Bench:
    """One box. `give` is the hospital; `work` does what was enlisted, as the thread of the sessions would."""

    def __init__(self, folder: Path, hooks: Hooks | None = None) -> None:
        self.state, self.references = folder / "state", folder / "references"
        authority = Authority(folder / "authority")
        files = authority.client("box-1")
        nowhere = BrokerSettings(
            host="localhost", port=1, ca=authority.certificate, certificate=files.certificate, key=files.key,
            site="demo", box="box-1",
        )  # fmt: skip
        self.outbox = Outbox(self.state, messages_of_results(TOPICS, "urn:patients"))
        link = Link(nowhere, self.outbox, lambda state, number: b"")
        self.reporter = Reporter(TOPICS, self.outbox, link)
        self.hooks = hooks or Hooks()
        self.start()

    def start(self) -> None:
        """Also once more, as after a restart: from what is on disk."""
        self.progress = Progress(self.state / "progress.json")
        self.orders = Orders(self.progress)
        self.ledger = Ledger(self.state / "accepted.json")
        answers = Answers(TOPICS, self.outbox)
        self.holding = Holding(self.state, self.ledger, self.progress, self.outbox, answers)
        nothing: Any = None  # devices, which no command of these tests needs
        corrections = Corrections(self.outbox, answers)
        self.commands = Commands(
            nothing, nothing, self.orders, self.ledger, answers, self.holding, nothing, corrections, self.hooks
        )
        self.inbox = Inbox(
            TOPICS, (KEY.public_key(),), ReferenceFolder(self.references), self.ledger, self.orders, self.reporter,
            answers, self.commands, self.holding,
        )  # fmt: skip
        self._answered = self.outbox.last_id

    def give(self, topic: str, payload: Any, retained: bool = False, **properties: Any) -> list[dict[str, Any]]:
        """The answers."""
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.inbox.receive(Received(topic, content, retained, **properties))
        return self.answers()

    def answers(self) -> list[dict[str, Any]]:
        """Those since the last call, with their topic and correlation data."""
        found = [queued for queued in self.outbox.pending(self._answered) if "/answer/" in queued.topic]
        self._answered = self.outbox.last_id
        return [json.loads(one.payload) | {"topic": one.topic, "correlation": one.correlation} for one in found]

    def prescribe(self, payload: Any, **how: Any) -> dict[str, Any]:
        (answer,) = self.give(TOPICS.prescription, payload, **how)
        return answer

    def command(self, name: str, payload: Any, **how: Any) -> dict[str, Any]:
        (answer,) = self.give(TOPICS.command(name), payload, **how)
        return answer

    def work(self) -> list[dict[str, Any]]:
        """Everything enlisted, and what has nothing left to wait for; the answers."""
        self.orders.enlist(lambda alive: self.orders.stop())
        while callable(order := self.orders.next()):
            order(lambda quiet_s=0.0: None)
        self.orders.stopped = False
        self.holding.see_off(lambda quiet_s=0.0: None)
        return self.answers()

    def follow_up(self) -> list[dict[str, Any]]:
        """What is decided now of what was begun before; the answers."""
        self.commands.follow_up()
        return self.answers()

    def held(self) -> dict[str, bytes]:
        """Every file that the box keeps but its outbox, which answers go through."""
        files = [path for folder in (self.state, self.references) for path in folder.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in files if not path.name.startswith("outbox.sqlite")}


def prescription(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    exercise = {"id": "squat", "side": "both", "repetitions": 2, "reference": "sha256:" + "ab" * 32}
    return {
        "id": str(uuid4()),
        "issued": now.isoformat(),
        "expires": (now + timedelta(hours=8)).isoformat(),
        "subject": "patient-0017",
        "exercises": [exercise],
    } | changes


def command(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    times = {"issued": now.isoformat(), "expires": (now + timedelta(minutes=10)).isoformat()}
    return {"id": str(uuid4()), "box": "box-1", **times} | changes


def at(seconds: float) -> str:
    """A time from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def signed(takes: list[bytes], key: Ed25519PrivateKey = KEY, exercise: str = "squat", **changes: Any) -> dict[str, Any]:
    issued = datetime.now(UTC)
    made = Reference.model_construct(
        digest=digest_of_bytes(takes[0]),
        exercise=exercise,
        issued=issued,
        takes=tuple(takes),
        signature=sign(key, statement(exercise, issued, takes)),
    )
    return cast(dict[str, Any], json.loads(encode(made))) | changes


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    box = Bench(tmp_path)
    yield box
    box.outbox.close()


@pytest.fixture(scope="session")
def take(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Squats of the virtual instructor."""
    folder = tmp_path_factory.mktemp("take")
    record_reference("squat", "both", 2, 4.0, folder)
    return (folder / "squat.csv.gz").read_bytes()
