"""The hospital's side of the broker, as `watch` and the demo need it: listens to boxes, sends them prescriptions."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue, SimpleQueue
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from appliance.errors import BrokerError
from appliance.hospital.tolerant_strings import tolerate_strings

ANSWER_S = 10.0
KEEPALIVE_S = 30
MOST_WAITING_BYTES = 16_000_000
"""Of messages that nobody has fetched yet."""
_BYTES_OF_ONE = 1000
"""What a message takes in memory beside its payload, roughly."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is and, for TLS, who we are there. `mqtt://` is in the clear: for a broker on this machine."""

    host: str
    port: int
    tls: bool
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(
        cls, url: str, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
    ) -> BrokerAddress:
        """`[mqtts://]host[:8883]` or `mqtt://host[:1883]`. Raises `BrokerError`."""
        wrong = BrokerError(f"{url}: not a broker's address; write mqtts://HOST:PORT")
        try:
            parts = urlsplit(url if "://" in url else f"mqtts://{url}")
        except ValueError:
            raise wrong from None
        try:
            port = parts.port
        except ValueError:
            port = 0
        if port == 0:
            raise BrokerError(f"{url}: the port is not a number from 1 to 65535")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
            raise wrong
        if parts.username is not None:
            raise BrokerError("a broker's address holds no user name; boxes and people show certificates")
        tls = parts.scheme == "mqtts"
        return cls(parts.hostname, port or (8883 if tls else 1883), tls, ca, certificate, key)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Raises `BrokerError` naming the file that does not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        try:
            if self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(self.ca)
        except OSError as error:
            raise BrokerError(f"--ca {self.ca}: {error.strerror or 'holds no PEM certificate'}") from None
        if self.certificate is not None:
            try:
                context.load_cert_chain(self.certificate, self.key, password="")  # never ask a terminal
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "certificate and key do not fit"
                raise BrokerError(f"--certificate {self.certificate}: {why}") from None
        return context


@dataclass(frozen=True, slots=True)
class Heard:
    """A message a box published. sent: the box's clock when it was, from the message's properties.

    correlation: of the request that it answers.
    """

    topic: str
    payload: bytes
    sent: datetime | None
    correlation: bytes | None = None


class _Inbox(Queue[Heard]):
    """Its size is in bytes: full, it takes nothing more, until something is fetched or it has no limit."""

    def __init__(self) -> None:
        super().__init__(MOST_WAITING_BYTES)
        self._bytes = 0

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """Within it nobody fetches: whoever waits to put something in goes on."""
        self.limit(sys.maxsize)
        try:
            yield
        finally:
            self.limit(MOST_WAITING_BYTES)

    def limit(self, most: int) -> None:
        with self.mutex:
            self.maxsize = most
            self.not_full.notify_all()

    def _qsize(self) -> int:
        return self._bytes

    def _put(self, item: Heard) -> None:
        super()._put(item)
        self._bytes += len(item.payload) + _BYTES_OF_ONE

    def _get(self) -> Heard:
        item = super()._get()
        self._bytes -= len(item.payload) + _BYTES_OF_ONE
        return item


class HospitalClient:
    """A context manager: connected within it, and connected again after an outage, with all subscriptions.

    What boxes publish during an outage is not heard. What they publish faster than it is fetched waits here up to
    `MOST_WAITING_BYTES`; beyond that nothing is read or acknowledged: the rest waits at the broker, in order, while it
    has room. A broker ends the connection of who reads nothing for one and a half times `KEEPALIVE_S`: that is an
    outage. `publish`, of one thread at a time, takes in all that comes before its own answer. Raises `BrokerError`
    where the first connection fails.
    """

    def __init__(self, address: BrokerAddress, name: str, filters: tuple[str, ...] = ()) -> None:
        """filters: topics to hear. name: the client id, of which the broker allows one connection."""
        self._address, self._filters = address, filters
        self._heard = _Inbox()
        self._answered = threading.Event()
        self._refusal: str | None = None
        tolerate_strings()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        if address.tls:
            self._client.tls_set_context(address.context())
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._published: SimpleQueue[tuple[int, ReasonCode]] = SimpleQueue()
        self.connected = False
        """Whether the broker lets us hear what we asked for, now; on a later connection too."""

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise BrokerError(f"no connection to the broker {self._address}: {error}") from None
        self._client.loop_start()
        with self._heard.unlimited():  # what is retained may come before the answer
            if not self._answered.wait(ANSWER_S):
                self._refusal = "it does not answer"
        if self._refusal is not None:
            self._heard.limit(sys.maxsize)
            self._client.loop_stop()
            raise BrokerError(f"the broker {self._address}: {self._refusal}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.disconnect()
        self._heard.limit(sys.maxsize)
        self._client.loop_stop()

    def next(self, timeout_s: float) -> Heard | None:
        """The next message, or None if none came in time."""
        try:
            return self._heard.get(timeout=timeout_s)
        except Empty:
            return None

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        expiry_s: int | None = None,
    ) -> None:
        """QoS 1; returns when the broker has taken it. Raises `BrokerError` where it refuses."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = "application/json"
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation is not None:
            properties.CorrelationData = correlation
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        wanted = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid
        with self._heard.unlimited():  # the broker's answer comes behind what it has sent before
            reason = self._answer_to(wanted)
        if reason.is_failure:
            raise BrokerError(f"the broker refuses {topic}: {reason}")

    def _answer_to(self, number: int) -> ReasonCode:
        deadline = monotonic() + ANSWER_S
        while True:
            try:
                mid, reason = self._published.get(timeout=max(deadline - monotonic(), 0.0))
            except Empty:
                raise BrokerError(f"the broker {self._address} does not answer") from None
            if mid == number:
                return reason

    def _on_publish(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Properties) -> None:
        self._published.put((mid, reason))

    def _on_connect(self, client: Client, _u: Any, _f: ConnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
        if reason.is_failure:
            self._refusal = str(reason)
            self._answered.set()
            return
        if self._filters:
            client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._filters])
        else:
            self.connected = True
            self._answered.set()

    def _on_subscribe(self, _c: Client, _u: Any, _mid: int, reasons: list[ReasonCode], _p: Properties | None) -> None:
        refused = [
            f"{topic}: {reason}" for topic, reason in zip(self._filters, reasons, strict=True) if reason.is_failure
        ]
        self._refusal = f"refuses to let us hear {refused[0]}" if refused else None
        self.connected = not refused
        self._answered.set()

    def _on_disconnect(
        self, _c: Client, _u: Any, _f: DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self.connected = False
        if not self._answered.is_set():
            self._refusal = f"ended the connection ({reason}); does it know our certificate?"
            self._answered.set()

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        said = dict(getattr(message.properties, "UserProperty", []))
        try:
            sent = datetime.fromisoformat(said["time"]).astimezone(UTC)
        except (KeyError, ValueError, OverflowError):
            sent = None
        correlation = getattr(message.properties, "CorrelationData", None)
        self._heard.put(Heard(message.topic, bytes(message.payload), sent, correlation))
