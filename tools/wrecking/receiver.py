"""The hospital's side: prescribes, and keeps every result it hears, with every copy."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.hospital.settings import BrokerSettings, tls_context
from appliance.messages.topics import Topics, address_of


class Receiver:
    """A context manager. Each connection is a new session: what is published while it is away is not heard.

    kept_s: unless the broker keeps its session for so long, as a hospital's should (docs/broker.md).
    """

    def __init__(self, settings: BrokerSettings, box: str, kept_s: int = 0) -> None:
        self._kept = Properties(PacketTypes.CONNECT)
        self._kept.SessionExpiryInterval = kept_s
        self._topics = Topics(settings.site, box)
        self._settings = settings
        self._lock = threading.Lock()
        self.results: list[dict[str, Any]] = []
        """Every arrival."""
        self.health: dict[str, Any] = {}
        self.session = ""
        """Its state."""
        self.online = False
        """Whether the box said so last."""
        self.alerts: Counter[str] = Counter()
        self._prescription = b""
        self.listening = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=settings.box, protocol=MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.tls_set_context(tls_context(settings))
        self._client.on_connect = lambda *_: self._greet()
        self._client.on_subscribe = lambda *_: self.listening.set()
        self._client.on_disconnect = lambda *_: self.listening.clear()
        self._client.on_message = self._hear

    def __enter__(self) -> Self:
        self._client.connect(self._settings.host, self._settings.port, keepalive=10, properties=self._kept)
        self._client.loop_start()
        self.listening.wait(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def prescribe(self, exercises: Sequence[dict[str, Any]], ahead_s: float = 0.0) -> None:
        """The next prescription; sent when there is a broker, and again to one that may have forgotten it.

        ahead_s: by how much the box's day is later than ours.
        """
        now = datetime.now(UTC) + timedelta(seconds=ahead_s)
        document = {
            "id": str(uuid4()),
            "issued": (now - timedelta(days=1)).isoformat(),
            "expires": (now + timedelta(days=1)).isoformat(),
            "subject": "chaos",
            "affected_side": None,
            "exercises": list(exercises),
        }
        self.send(json.dumps(document).encode())

    def withdraw(self) -> None:
        self.send(b"")

    def send(self, prescription: bytes) -> None:
        """These bytes, whether they are one or not."""
        self._prescription = prescription
        self._client.publish(self._topics.prescription, prescription, qos=1, retain=True)

    def _greet(self) -> None:
        self._client.subscribe(f"rehabbox/1/{self._settings.site}/#", qos=1)
        if self._prescription:
            self._client.publish(self._topics.prescription, self._prescription, qos=1, retain=True)

    def ids(self) -> dict[str, int]:
        """Sequence number by id: the copies are dropped."""
        with self._lock:
            return {result["id"]: result["sequence"] for result in self.results}

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        address = address_of(message.topic)
        if address is None or not message.payload:
            return
        with suppress(ValueError), self._lock:
            payload = json.loads(message.payload)
            if address.kind == "result":
                self.results.append(payload)
            elif address.kind == "health":
                self.health = payload
            elif address.kind == "status":
                self.online = payload["state"] == "online"
            elif address.kind == "session":
                self.session = payload["state"]
            elif address.kind == "alert" and payload["state"] == "raised":
                self.alerts[payload["code"]] += 1
