"""The hospital's side of the broker, and a link that ends with its test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing
from appliance.hospital.settings import BrokerSettings, OutboxSettings, tls_context
from appliance.hospital.throwaway import ThrowawayBroker


class Hospital:
    """Subscribes to everything of the site under the name in its certificate, with a session that outlives the line."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._messages: SimpleQueue[MQTTMessage] = SimpleQueue()
        self._subscribed: SimpleQueue[Any] = SimpleQueue()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=settings.box, protocol=MQTTv5)
        self.client.reconnect_delay_set(0.1, 0.5)
        self.client.tls_set_context(tls_context(settings))
        self.client.on_connect = lambda *_: self.client.subscribe(f"rehabbox/1/{settings.site}/#", qos=1)
        self.client.on_subscribe = lambda *_: self._subscribed.put(None)
        self.client.on_message = lambda _client, _data, message: self._messages.put(message)
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 3600
        self.client.connect(settings.host, settings.port, properties=lasting)
        self.client.loop_start()
        self._subscribed.get(timeout=30)

    def back(self) -> None:
        """Waits until it has subscribed once more. mosquitto 2.0.11 keeps nothing for a receiver between its own
        restart and the receiver's return: it has the session from disk, and no longer knows what its name may read."""
        self._subscribed.get(timeout=30)

    def publish(self, topic: str, payload: bytes, retain: bool = True, content_type: str = "") -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if content_type:
            properties.ContentType = content_type
        self.client.publish(topic, payload, qos=1, retain=retain, properties=properties).wait_for_publish(5)

    def next(self, wanted: Callable[[MQTTMessage], bool], timeout_s: float = 30) -> MQTTMessage:
        """The next message like that; others are passed over."""
        deadline = monotonic() + timeout_s
        while True:
            try:
                message = self._messages.get(timeout=max(deadline - monotonic(), 0))
            except Empty:
                pytest.fail("the message did not come")
            if wanted(message):
                return message

    def next_status(self, state: str) -> dict[str, Any]:
        def wanted(message: MQTTMessage) -> bool:
            return message.topic.endswith("/status") and json.loads(message.payload)["state"] == state

        document = json.loads(self.next(wanted).payload)
        assert isinstance(document, dict)
        return document

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def side_of(broker: ThrowawayBroker) -> Iterator[Callable[[str], Hospital]]:
    """Connects under a name, with the same subscription, allowed or not."""
    sides: list[Hospital] = []

    def connect(name: str) -> Hospital:
        sides.append(Hospital(broker.settings_for(name)))
        return sides[-1]

    yield connect
    for side in sides:
        side.close()


@pytest.fixture
def hospital(side_of: Callable[[str], Hospital]) -> Hospital:
    return side_of("hospital")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path, lambda payload: [Outgoing("rehabbox/1/demo/box-1/result/squat", payload)])
    yield box
    box.close()


def status_payload(state: str, connection: int) -> bytes:
    return json.dumps({"state": state, "connection": connection}).encode()


@pytest.fixture
def link_to(outbox: Outbox) -> Iterator[Callable[..., Link]]:
    """Makes links with the test's outbox, not started; stops those that were."""
    links: list[Link] = []

    def make(settings: BrokerSettings, delivery: OutboxSettings | None = None) -> Link:
        links.append(Link(settings, outbox, status_payload, delivery))
        return links[-1]

    yield make
    for link in links:
        link.stop(0.1)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, at most half a minute."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = monotonic() + 30
        while not condition():
            assert monotonic() < deadline, "it did not come to that"
            sleep(0.01)

    return wait
