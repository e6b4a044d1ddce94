"""Receives over a shared subscription, and acknowledges only what is stored.

One thread does it all, so that an acknowledgement always belongs to the connection over which its message came: after
a reconnection the broker sends anew what was not acknowledged, and may give the numbers to other messages.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from time import monotonic
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from messages import Message
from store import Store, StoreError
from strings import tolerate_strings

RECEIVE_MAXIMUM = 100
"""Messages the broker may send before it has an acknowledgement, and so the largest batch of one transaction."""
SESSION_EXPIRY_S = 7 * 86400
"""How long the broker keeps our share while we are away. Messages that lie in it then go to nobody else."""
QUIET_S = 3.0
"""A consumer that leaves has received what it was given when nothing came for so long."""
KEEPALIVE_S = 30
ANSWER_S = 10.0
LONGEST_DELAY_S = 10.0

_log = logging.getLogger("consumer")


class BrokerRefusedError(Exception):
    """The broker does not let us in or hear; to try again without a change of its rules or ours is of no use."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and who we are there (PEM files)."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path

    def tls(self) -> ssl.SSLContext:
        """TLS 1.3, the broker's chain and name checked. Raises `OSError`, naming a file that cannot be read."""
        for file in (self.ca, self.certificate, self.key):
            file.read_bytes()
        context = ssl.create_default_context(cafile=str(self.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate, self.key, password="")  # an encrypted key is refused, not asked for
        return context


class Receiver:
    """`run` until it is stopped. name: this consumer's own, the same after each start: the broker keeps its share."""

    def __init__(self, broker: Broker, store: Store, *, name: str, group: str, site: str) -> None:
        self._broker, self._store, self._name = broker, store, name
        self._filter = f"$share/{group}/rehabbox/1/{site}/+/result/#"
        self._tls = broker.tls()
        tolerate_strings()
        self._batch: list[Message] = []
        self._ready = False
        self._refusal: str | None = None

    def run(self, stopped: Callable[[], bool], pause: Callable[[float], object], *, leave: bool = False) -> None:
        """Connects again after any outage of broker or database, in at most ten seconds. Raises `BrokerRefusedError`.

        pause: waits so many seconds, or less if it is stopped. leave: gives up the share for good, and returns when
        what was given to us already is stored.
        """
        delay_s = 1.0
        while not stopped():
            began_s = monotonic()
            try:
                with self._store:
                    self._serve(stopped, leave)
                return
            except (StoreError, OSError) as error:
                _log.warning("%s; trying again", error)
            delay_s = 1.0 if monotonic() - began_s > LONGEST_DELAY_S else min(2 * delay_s, LONGEST_DELAY_S)
            pause(SystemRandom().uniform(delay_s / 2, delay_s))

    def _serve(self, stopped: Callable[[], bool], leave: bool) -> None:
        client = self._connect()
        try:
            if leave:
                client.unsubscribe(self._filter)
            heard_s = monotonic()
            while not stopped() and not (leave and monotonic() - heard_s > QUIET_S):
                if self._receive(client):
                    stored = self._store.put(self._batch)
                    for message in self._batch:
                        client.ack(message.number, qos=1)
                    self._batch = []
                    _log.info("stored %d, known already %d, set aside %d", stored.new, stored.copies, stored.set_aside)
                    heard_s = monotonic()
        finally:
            goodbye = Properties(PacketTypes.DISCONNECT)
            if leave:
                goodbye.SessionExpiryInterval = 0
            client.disconnect(properties=goodbye)

    def _connect(self) -> Client:
        self._batch, self._ready, self._refusal = [], False, None
        client = Client(
            CallbackAPIVersion.VERSION2, self._name, protocol=MQTTv5, manual_ack=True, reconnect_on_failure=False
        )
        client.tls_set_context(self._tls)
        client.on_connect, client.on_subscribe, client.on_message = self._connected, self._subscribed, self._received
        wishes = Properties(PacketTypes.CONNECT)
        wishes.SessionExpiryInterval = SESSION_EXPIRY_S
        wishes.ReceiveMaximum = RECEIVE_MAXIMUM
        client.connect(self._broker.host, self._broker.port, KEEPALIVE_S, clean_start=False, properties=wishes)
        deadline_s = monotonic() + ANSWER_S
        while not self._ready and self._refusal is None:
            _alive(client.loop(0.1))
            if monotonic() > deadline_s:
                raise OSError("the broker does not answer")
        if self._refusal is not None:
            raise BrokerRefusedError(self._refusal)
        return client

    def _receive(self, client: Client) -> bool:
        """Waits for a message and takes what follows at once into the batch; False if none came."""
        if not self._batch:  # some may have come before the subscription was answered
            _alive(client.loop(0.5))
        known = 0
        while known < len(self._batch) < RECEIVE_MAXIMUM:
            known = len(self._batch)
            _alive(client.loop(0.0))
        return bool(self._batch)

    def _connected(
        self, client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses the connection: {reason}"
            return
        _log.info("connected as %s; the broker %s", self._name, "kept our share" if flags.session_present else
                  "knows no share of ours: it is new, or expired")  # fmt: skip
        client.subscribe(self._filter, qos=1)

    def _subscribed(
        self, _client: Client, _data: Any, _number: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        if reasons[0].is_failure:
            self._refusal = f"the broker refuses {self._filter}: {reasons[0]}"
        else:
            _log.info("results are received from now on")
        self._ready = True

    def _received(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._batch.append(Message(message.topic, bytes(message.payload), datetime.now(UTC), message.mid))


def _alive(code: MQTTErrorCode) -> None:
    if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise OSError("the connection to the broker ended")
