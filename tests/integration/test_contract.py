"""What a running box really sends, held to the documents in `docs/`: every topic, payload and MQTT 5 property."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from fhir.resources.R4B.observation import Observation
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.hospital.client import BrokerAddress
from appliance.hospital.settings import BrokerSettings
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics, address_of

DOCS = Path(__file__).parents[2] / "docs"
ASYNCAPI: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text())
TOPICS = Topics("demo", "box-1")
PATIENCE_S = 90.0
FORMATS = FormatChecker()


@FORMATS.checks("date-time", raises=ValueError)
def is_time_in_utc(text: object) -> bool:
    return isinstance(text, str) and datetime.fromisoformat(text).utcoffset() == timedelta(0)


@dataclass(frozen=True)
class Seen:
    """One message as the broker passed it on. channel: its name in the AsyncAPI document."""

    channel: str
    message: MQTTMessage

    @property
    def payload(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.message.payload)
        return document

    @property
    def mqtt(self) -> dict[str, Any]:
        """What the document promises of it."""
        bindings: dict[str, Any] = ASYNCAPI["operations"][self.channel]["bindings"]["mqtt"]
        return bindings

    @property
    def from_box(self) -> bool:
        return bool(ASYNCAPI["operations"][self.channel]["action"] == "send")


def channel_of(topic: str) -> str:
    """Raises `AssertionError` for a topic that the document does not know."""
    found = [
        name
        for name, channel in ASYNCAPI["channels"].items()
        if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", channel["address"]), topic)
    ]
    assert len(found) == 1, f"{topic} is {found or 'not'} in docs/asyncapi.json"
    return found[0]


class Capture:
    """Hears everything, with its properties, its quality of service, and whether it was published to be retained."""

    def __init__(self, broker: ThrowawayBroker) -> None:
        settings = broker.settings_for("hospital")
        address = BrokerAddress(settings.host, settings.port, True, settings.ca, settings.certificate, settings.key)
        self._heard: SimpleQueue[MQTTMessage] = SimpleQueue()
        self.seen: list[Seen] = []
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="capture", protocol=MQTTv5)
        self.client.tls_set_context(address.context())
        self.client.on_message = lambda _client, _user, message: self._heard.put(message)
        self.client.on_connect = lambda client, *_: client.subscribe(
            "rehabbox/1/#", options=SubscribeOptions(qos=1, retainAsPublished=True)
        )
        self.client.connect(address.host, address.port)
        self.client.loop_start()

    def ask(self, name: str, **fields: Any) -> bytes:
        """Sends a command to the box; the correlation data that its answer will have."""
        command = json.loads((DOCS / "examples" / f"command-{name}.json").read_text())
        now = datetime.now(UTC)
        times = {"issued": now.isoformat(), "expires": (now + timedelta(hours=1)).isoformat()}
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = TOPICS.answer("therapist")
        properties.CorrelationData = uuid4().bytes
        payload = command | times | {"id": str(uuid4()), "box": TOPICS.box} | fields
        self.client.publish(f"rehabbox/1/demo/box-1/command/{name}", json.dumps(payload), 1, properties=properties)
        correlation: bytes = properties.CorrelationData
        return correlation

    def answer(self, correlation: bytes) -> dict[str, Any]:
        """The one with that correlation data."""
        return self.until(
            "answer", lambda seen: getattr(seen.message.properties, "CorrelationData", b"") == correlation
        ).payload

    def until(self, channel: str, right: Callable[[Seen], bool] = lambda seen: True, **fields: Any) -> Seen:
        """The first message there that is right and whose payload holds these fields."""
        deadline = monotonic() + PATIENCE_S
        position = 0
        while True:
            for seen in self.seen[position:]:
                here = seen.channel == channel and bool(seen.message.payload)
                if here and right(seen) and fields.items() <= seen.payload.items():
                    return seen
            position = len(self.seen)
            assert monotonic() < deadline, f"no {channel} with {fields}; {[seen.channel for seen in self.seen]}"
            try:
                message = self._heard.get(timeout=0.2)
            except Empty:
                continue
            self.seen.append(Seen(channel_of(message.topic), message))


@pytest.fixture
def capture(broker: ThrowawayBroker) -> Iterator[Capture]:
    capture = Capture(broker)
    yield capture
    capture.client.disconnect()
    capture.client.loop_stop()


@cache
def validators_of(channel: str) -> tuple[Draft202012Validator, Draft7Validator]:
    """By the topic's schema, and by the AsyncAPI document's own words (whose dialect is close to Draft 7)."""
    schema = json.loads((DOCS / "schemas" / f"{channel}.json").read_text())
    within = {"allOf": [ASYNCAPI["components"]["messages"][channel]["payload"]], "components": ASYNCAPI["components"]}
    return (
        Draft202012Validator(schema, format_checker=FORMATS),
        Draft7Validator(within, format_checker=FORMATS),
    )


def assert_as_documented(seen: Seen) -> None:
    message, properties = seen.message, seen.message.properties
    if not message.payload:
        assert seen.channel in ("alert", "prescription", "reference")
        assert message.retain
        return
    if not seen.from_box:
        return
    for validator in validators_of(seen.channel):
        validator.validate(seen.payload)
    cleared = seen.channel == "alert" and seen.payload["state"] == "cleared"
    assert (message.qos, message.retain) == (seen.mqtt["qos"], seen.mqtt["retain"] and not cleared)
    assert properties is not None
    assert properties.ContentType == "application/json"
    user = dict(properties.UserProperty)
    assert user["schema"] == ASYNCAPI["info"]["version"]
    assert abs(datetime.fromisoformat(user["time"]) - datetime.now(UTC)) < timedelta(minutes=5)
    expiry = getattr(properties, "MessageExpiryInterval", None)
    assert (expiry is not None) == ("messageExpiryInterval" in seen.mqtt)


def withdraw_by_hand(hospital: BrokerSettings, result: str) -> str:
    """As a person would; the id of the result that took its place."""
    said = {"action": "withdraw", "by": "therapist-7", "reason": "somebody else did it", "result": result}
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "command", f"mqtts://{hospital.host}:{hospital.port}", "correct-result"]
        + [part for key, value in said.items() for part in ("--set", f"{key}={value}")]
        + ["--site", "demo", "--box", "box-1", "--ca", hospital.ca, "--certificate", hospital.certificate]
        + ["--key", hospital.key, "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    corrected: str = json.loads(done.stdout)["answer"]["corrected"]
    return corrected


def test_what_a_box_sends_is_what_the_documents_say(ward: Any, hospital: Any, capture: Capture) -> None:
    box = ward.start(health={"interval_s": 0.3}, fhir={"patient_system": "https://hospital.example/patients"})
    exercises = [ward.exercise("shoulder_abduction", "left", 1), ward.exercise("squat", "both", 1)]
    hospital.prescribe([exercises[0], exercises[1] | {"reference": "0" * 64}])
    capture.until("session", state="abandoned")
    hospital.prescribe(exercises, id="not a uuid")
    capture.until("alert", code="prescription_refused")
    hospital.client.publish(TOPICS.prescription, b"", retain=True)
    capture.until("alert", code="prescription_refused", state="cleared")
    measured = capture.until("result").payload
    refused = capture.ask("correct-result", result=str(uuid4()))
    assert capture.answer(refused)["code"] == "unknown_result"
    amended = capture.ask("correct-result", result=measured["id"], action="amend", score=1.5)
    amendment = capture.answer(amended)["corrected"]
    corrected = withdraw_by_hand(ward.broker.settings_for("hospital"), amendment)
    capture.until("result", id=corrected)
    capture.until("fhir", status="entered-in-error")
    assert box.stop() == 0, box.log
    capture.until("status", state="stopped")

    for seen in capture.seen:
        assert_as_documented(seen)
    assert {seen.channel for seen in capture.seen if seen.from_box} >= {
        "status", "health", "alert", "session", "result", "fhir", "answer",
    }  # fmt: skip
    results = [seen.payload for seen in capture.seen if seen.channel == "result"]
    assert [result["sequence"] for result in results] == [1, 2, 3]
    assert [result["status"] for result in results] == ["scored", "scored", "withdrawn"]
    assert {result["correction"]["replaces"] for result in results[1:]} == {measured["id"]}
    observations = [seen.payload for seen in capture.seen if seen.channel == "fhir"]
    assert [one["status"] for one in observations] == ["final", "amended", "entered-in-error"]
    for seen, result in zip((seen for seen in capture.seen if seen.channel == "fhir"), results, strict=True):
        address = address_of(seen.message.topic)
        assert address is not None
        assert address.name == result["exercise"]
        Observation.model_validate_json(seen.message.payload)
        assert seen.payload["identifier"] == observations[0]["identifier"]
        assert seen.payload["identifier"][0]["value"] == f"urn:uuid:{measured['id']}"
        assert seen.payload["meta"]["security"][0]["code"] == "HTEST"
        assert seen.payload["subject"]["identifier"] == {
            "system": "https://hospital.example/patients", "value": result["subject"],
        }  # fmt: skip
    measures = {one["code"]["coding"][0]["code"]: one for one in observations[0]["component"]}
    found = measures["pose-dissimilarity"]["valueQuantity"]["value"]
    assert found == pytest.approx(measured["score"]["pose_dissimilarity"], rel=1e-3)
    assert {name for name in measures if name.startswith("range-")} != set()
