"""What a running box really sends, held to the documents in `docs/`: every topic, payload and MQTT 5 property."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

import pytest
from fhir.resources.R4B.observation import Observation
from jsonschema import Draft202012Validator, FormatChecker
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.hospital.client import BrokerAddress
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics, address_of

DOCS = Path(__file__).parents[2] / "docs"
ASYNCAPI: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text())
TOPICS = Topics("demo", "box-1")
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

    def until(self, channel: str, timeout_s: float = 90.0, **fields: Any) -> Seen:
        """The first message there whose payload holds these."""
        deadline = monotonic() + timeout_s
        position = 0
        while True:
            for seen in self.seen[position:]:
                if seen.channel == channel and seen.message.payload and fields.items() <= seen.payload.items():
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


def assert_as_documented(seen: Seen) -> None:
    message, properties = seen.message, seen.message.properties
    if not message.payload:
        assert seen.channel in ("alert", "prescription", "reference")
        assert message.retain
        return
    if not seen.from_box:
        return
    schema = json.loads((DOCS / "schemas" / f"{seen.channel}.json").read_text())
    Draft202012Validator(schema, format_checker=FORMATS).validate(seen.payload)
    cleared = seen.channel == "alert" and seen.payload["state"] == "cleared"
    assert (message.qos, message.retain) == (seen.mqtt["qos"], seen.mqtt["retain"] and not cleared)
    assert properties is not None
    assert properties.ContentType == "application/json"
    user = dict(properties.UserProperty)
    assert user["schema"] == ASYNCAPI["info"]["version"]
    assert abs(datetime.fromisoformat(user["time"]) - datetime.now(UTC)) < timedelta(minutes=5)
    expiry = getattr(properties, "MessageExpiryInterval", None)
    assert (expiry is not None) == ("messageExpiryInterval" in seen.mqtt)


def test_what_a_box_sends_is_what_the_documents_say(ward: Any, hospital: Any, capture: Capture) -> None:
    box = ward.start(health={"interval_s": 0.3}, fhir={"patient_system": "https://hospital.example/patients"})
    exercises = [ward.exercise("shoulder_abduction", "left", 1), ward.exercise("squat", "both", 1)]
    hospital.prescribe([exercises[0], exercises[1] | {"reference": "0" * 64}])
    capture.until("session", state="abandoned")
    hospital.prescribe(exercises, id="not a uuid")
    capture.until("alert", code="prescription_refused")
    hospital.client.publish(TOPICS.prescription, b"", retain=True)
    capture.until("alert", code="prescription_refused", state="cleared")
    capture.until("fhir")
    assert box.stop() == 0, box.log
    capture.until("status", state="stopped")

    for seen in capture.seen:
        assert_as_documented(seen)
    assert {seen.channel for seen in capture.seen if seen.from_box} >= {
        "status", "health", "alert", "session", "result", "fhir",
    }  # fmt: skip
    results = {seen.payload["id"]: seen.payload for seen in capture.seen if seen.channel == "result"}
    observations = [seen for seen in capture.seen if seen.channel == "fhir"]
    assert {seen.payload["identifier"][0]["value"] for seen in observations} == {f"urn:uuid:{one}" for one in results}
    assert len(results) == len(observations) == 1
    for seen in observations:
        result = results[seen.payload["identifier"][0]["value"].removeprefix("urn:uuid:")]
        address = address_of(seen.message.topic)
        assert address is not None
        assert address.name == result["exercise"]
        Observation.model_validate_json(seen.message.payload)
        assert seen.payload["meta"]["security"][0]["code"] == "HTEST"
        assert seen.payload["subject"]["identifier"] == {
            "system": "https://hospital.example/patients", "value": result["subject"],
        }  # fmt: skip
        measures = {one["code"]["coding"][0]["code"]: one for one in seen.payload["component"]}
        assert measures["pose-dissimilarity"]["valueQuantity"]["value"] == pytest.approx(
            result["score"]["pose_dissimilarity"], rel=1e-3
        )
        assert {name for name in measures if name.startswith("range-")} != set()
