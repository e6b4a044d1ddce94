"""One MQTT 5 connection, from the attempt to its end. Never used again: a last will is fixed before connecting.

paho's thread only puts what happened into a queue; `run_one` does the work in the owner's thread, so no state here
needs a lock. `wake` and `do` alone may be called from any thread.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.hospital.events import Received
from appliance.hospital.proxy import go_through_proxy, reason_of
from appliance.hospital.refusal import knock, out_of_date
from appliance.hospital.settings import BrokerSettings
from appliance.hospital.tolerant_strings import tolerate_strings
from appliance.messages.limits import KEPT_FOR_US_S, LARGEST_MESSAGE
from appliance.messages.model import SCHEMA_VERSION

CONNECT_S = 5.0
"""For TCP, for the TLS handshake, and for the broker's answer, each."""

Answer = Callable[[str | None], None]
"""Called with None when the broker accepted, else with its reason."""

_HEADER_BYTES = 512
"""More than topic, properties and lengths take of a packet."""
_NOBODY_LISTENS = 16
"""The reason code "no matching subscribers": the broker took a message and threw it away."""


class Connection:
    """`open`, then `publish`, `subscribe` and `run_one` in turn while `lost` is None, then `close`."""

    def __init__(
        self,
        settings: BrokerSettings,
        tls: ssl.SSLContext,
        will: tuple[str, bytes],
        on_received: Callable[[Received], None],
    ) -> None:
        self.lost: str | None = None
        """Why the connection is over; None while it is not."""
        self._settings, self._tls = settings, tls
        self._opened = self._cut_off = False
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._answers: dict[int, Answer] = {}
        self._needs_listener: set[int] = set()
        self._largest: int | None = None
        """Bytes of a packet that the broker takes; None where it named no limit."""
        self._on_received = on_received
        tolerate_strings()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=settings.box, protocol=MQTTv5, reconnect_on_failure=False
        )
        self._client.connect_timeout = CONNECT_S
        self._client.tls_set_context(tls)
        go_through_proxy(self._client, settings.proxy_address)
        topic, payload = will
        self._client.will_set(topic, payload, qos=1, retain=True, properties=_properties(PacketTypes.WILLMESSAGE))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Raises `ConnectionError` saying why not."""
        limits = _empty(PacketTypes.CONNECT)
        limits.MaximumPacketSize = LARGEST_MESSAGE
        limits.SessionExpiryInterval = KEPT_FOR_US_S
        host, port, keepalive = self._settings.host, self._settings.port, self._settings.keepalive_s
        try:
            self._client.connect(host, port, keepalive, clean_start=False, properties=limits)
        except ssl.SSLCertVerificationError as error:
            raise ConnectionError(f"the broker's certificate is refused: {error.verify_message}") from None
        except (OSError, ValueError) as error:
            raise ConnectionError(reason_of(error)) from None
        self._client.loop_start()
        deadline = monotonic() + CONNECT_S
        while not self._opened and self.lost is None:
            if not self.run_one(deadline - monotonic()):
                self.lost = "the broker does not answer"
        if self.lost is not None:
            self.close()
            raise ConnectionError(self._why() if self._cut_off else self.lost)

    def publish(
        self,
        topic: str,
        payload: bytes,
        answer: Answer,
        *,
        retain: bool = False,
        correlation: bytes | None = None,
        needs_listener: bool = False,
    ) -> None:
        """QoS 1. Without an answer before the connection ends, `answer` is never called.

        What is larger than the broker takes is refused here: it would end the connection. needs_listener: that nobody
        subscribes to the topic is a refusal.
        """
        size = len(payload) + len(topic.encode()) + _HEADER_BYTES
        if self._largest is not None and size > self._largest:
            self.do(partial(answer, f"the message of {size} bytes is larger than the {self._largest} it takes"))
            return
        properties = _properties(PacketTypes.PUBLISH)
        if correlation is not None:
            properties.CorrelationData = correlation
        mid = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid
        self._answers[mid] = answer
        if needs_listener:
            self._needs_listener.add(mid)

    def publish_once(self, topic: str, payload: bytes, expiry_s: int) -> None:
        """QoS 0, to be thrown away `expiry_s` after it was sent."""
        properties = _properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = expiry_s
        self._client.publish(topic, payload, qos=0, properties=properties)

    def subscribe(self, topic: str, answer: Answer, *, known: bool = False, as_published: bool = False) -> None:
        """known: what is retained there was received before; it comes again only to a broker that forgot us.
        as_published: what was sent to be retained says so also while we are connected.
        """
        retained = SubscribeOptions.RETAIN_SEND_IF_NEW_SUB if known else SubscribeOptions.RETAIN_SEND_ON_SUBSCRIBE
        options = SubscribeOptions(qos=1, retainAsPublished=as_published, retainHandling=retained)
        _, mid = self._client.subscribe(topic, options=options)
        if mid is not None:
            self._answers[mid] = answer

    @property
    def unanswered(self) -> int:
        """Publishes and subscriptions the broker has not answered yet."""
        return len(self._answers)

    def wake(self) -> None:
        """Makes `run_one` return."""
        self.do(lambda: None)

    def do(self, job: Callable[[], None]) -> None:
        """Makes `run_one` do that in the owner's thread."""
        self._jobs.put(job)

    def run_one(self, timeout_s: float) -> bool:
        """Waits for one thing to happen and deals with it; False if nothing did."""
        try:
            job = self._jobs.get(timeout=max(timeout_s, 0.0))
        except Empty:
            return False
        job()
        return True

    def close(self) -> None:
        """Says goodbye, so that the broker drops the last will; a broker that does not listen is cut off."""
        self._client.disconnect()
        deadline = monotonic() + 1.0
        while self.lost is None and self.run_one(deadline - monotonic()):
            pass
        line = self._client.socket()
        if isinstance(line, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)  # the TLS layer's own shutdown would wait for the peer
        self._client.loop_stop()
        # paho closes the sockets it wakes itself with when it is freed, and it is in a circle with us until then.
        self._client._reset_sockets()

    def _on_connect(
        self, client: Client, _u: Any, _f: ConnectFlags, reason: ReasonCode, said: Properties | None
    ) -> None:
        at_once = int(getattr(said, "ReceiveMaximum", client.max_inflight_messages))
        # paho 2.2 does not ask how many the broker takes at once, and has no other way to be told it now.
        client._max_inflight_messages = min(client.max_inflight_messages, at_once)
        largest = getattr(said, "MaximumPacketSize", None)
        self._jobs.put(partial(self._answered_connect, _refusal(reason), largest))

    def _on_disconnect(
        self, _c: Client, _u: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        said = str(reason) if flags.is_disconnect_packet_from_server else "the line broke"
        self._jobs.put(partial(self._ended, said))

    def _on_publish(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties) -> None:
        self._jobs.put(partial(self._answered_publish, mid, reason))

    def _on_subscribe(self, _c: Client, _u: Any, mid: int, reasons: list[ReasonCode], _p: Properties | None) -> None:
        self._jobs.put(partial(self._answered, mid, _refusal(reasons[0])))

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        response_topic = getattr(message.properties, "ResponseTopic", None)
        correlation = getattr(message.properties, "CorrelationData", None)
        received = Received(message.topic, bytes(message.payload), message.retain, response_topic, correlation)
        self._jobs.put(partial(self._on_received, received))

    def _answered_connect(self, refusal: str | None, largest: int | None) -> None:
        self._largest = largest
        self._opened = refusal is None
        self.lost = refusal

    def _answered_publish(self, mid: int, reason: ReasonCode) -> None:
        unheard = mid in self._needs_listener and reason.value == _NOBODY_LISTENS
        self._needs_listener.discard(mid)
        self._answered(mid, "nobody subscribes to it" if unheard else _refusal(reason))

    def _answered(self, mid: int, refusal: str | None) -> None:
        answer = self._answers.pop(mid, None)
        if answer is not None:
            answer(refusal)

    def _ended(self, reason: str) -> None:
        if self.lost is None:
            self._cut_off = not self._opened
            self.lost = f"the connection ended{' before the broker answered' if self._cut_off else ''} ({reason})"

    def _why(self) -> str:
        """Of a broker that ends the connection instead of answering; the TLS alert says more than the broken line."""
        try:
            knock(self._settings, self._tls)
        except ConnectionError as error:
            return str(error)
        return out_of_date(self._settings) or f"{self.lost}; does the broker know the box's certificate?"


def _refusal(reason: ReasonCode) -> str | None:
    return f"{reason} ({reason.value})" if reason.is_failure else None


def _empty(packet_type: int) -> Properties:
    return Properties(packet_type)  # type: ignore[no-untyped-call]


def _properties(packet_type: int) -> Properties:
    properties = _empty(packet_type)
    properties.ContentType = "application/json"
    properties.UserProperty = [("schema", SCHEMA_VERSION), ("time", datetime.now(UTC).isoformat())]
    return properties
