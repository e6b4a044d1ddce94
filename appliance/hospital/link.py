"""The link to the hospital: keeps a connection up for as long as the box runs, and carries everything over it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from queue import SimpleQueue
from random import SystemRandom
from time import monotonic

from appliance.errors import OutboxError, SettingsError
from appliance.hospital.alerts import Alerts
from appliance.hospital.connection import Connection
from appliance.hospital.delivery import Delivery
from appliance.hospital.events import Accepted, Connected, Disconnected, Event, Refused
from appliance.hospital.outbox import Outbox
from appliance.hospital.settings import BrokerSettings, OutboxSettings, tls_context
from appliance.hospital.suspects import Suspects
from appliance.messages.status import State
from appliance.messages.topics import Topics
from appliance.watchdog import WATCHDOG, Alive

LONGEST_DELAY_S = 60.0
STEADY_S = 10.0
"""A connection that lasted this long was a good one: the next attempt is soon again."""
POLL_S = 0.5
FAREWELL_S = 1.0
"""For the broker's answer to `stopped`."""

_log = logging.getLogger(__name__)


def delays(spread_s: float) -> Iterator[float]:
    """Seconds before each next attempt: anywhere within `spread_s`, then doubling to a minute, with jitter.

    So many boxes as lost the same broker at the same moment never ask for more than their number / `spread_s`
    connections a second, whether it is back at once or after an hour (the jitter is half to all of the delay).
    """
    yield SystemRandom().uniform(0.0, spread_s)
    for attempt in count(1):
        longest = min(LONGEST_DELAY_S, spread_s * 2.0 ** min(attempt, 10))
        yield SystemRandom().uniform(longest / 2, longest)


class Link:
    """Works in its own thread; any thread may call it. Nothing but the constructor raises because of the broker.

    `status(state, connection)` makes the payload of `status`; it is called in the link's thread, for the last will
    (`lost`) before each connection and for `online` and `stopped`. Messages put into `outbox` go out by themselves.
    What happens is told through `events`. Raises `SettingsError` where certificate, key or authority do not fit.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        outbox: Outbox,
        status: Callable[[State, int], bytes],
        delivery: OutboxSettings | None = None,
    ) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.topics = Topics(settings.site, settings.box)
        self._settings = settings
        tls_context(settings)  # files that do not fit are told at the start
        self._outbox = outbox
        self._delivery = delivery or OutboxSettings()
        self._alerts = Alerts(outbox, self.topics)
        self._status = status
        self._number = 0
        self._suspects = Suspects()
        self._greeted = False
        self._connection: Connection | None = None
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._again = threading.Event()
        self._hurry = threading.Event()
        """Ends the wait for the next attempt."""
        self._stop_by = 0.0
        self._trouble = ""
        self._refused_topics: dict[str, str] = {}
        """By `_rule`, as it was told."""
        self._thread = threading.Thread(target=self._run, name="hospital-link", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and the connection stands, as far as is known."""
        return self._connected.is_set()

    def start(self) -> None:
        """Returns at once; a broker that is not there is tried again for as long as it takes."""
        self._outbox.on_put = self._wake
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Sends what it can within the time, says `stopped` and disconnects; without a connection ends at once.

        What remains stays in the outbox. A second call does nothing more.
        """
        self._stop_by = monotonic() + timeout_s
        self._stopping.set()
        self._hurry.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(timeout_s + 3 * FAREWELL_S)

    def raise_alert(self, code: str, payload: bytes) -> None:
        """Retained at the broker, now or once there is a connection, until cleared. The same again changes nothing."""
        self._alerts.raise_(code, payload)
        self._wake()

    def clear_alert(self, code: str, payload: bytes) -> None:
        """Publishes `payload`, not retained, and takes the raised one off the broker. Not raised: nothing happens."""
        self._alerts.clear(code, payload)
        self._wake()

    def connect_again(self) -> None:
        """Ends the connection and makes a new one at once, with the certificate that is in force now."""
        self._again.set()
        self._hurry.set()
        self._wake()

    def publish_once(self, topic: str, payload: bytes, expiry_s: int) -> None:
        """QoS 0: what is out of date soon. Without a connection now it is not sent at all."""
        connection = self._connection
        if connection is not None and self.connected:
            connection.do(partial(connection.publish_once, topic, payload, expiry_s))

    def _wake(self) -> None:
        connection = self._connection
        if connection is not None:
            connection.wake()

    def _run(self) -> None:
        with WATCHDOG.watched("hospital-link") as alive:
            self._connect_again_and_again(alive)

    def _connect_again_and_again(self, alive: Alive) -> None:
        waits = delays(self._settings.spread_s)
        while not self._stopping.is_set():
            began = monotonic()
            alive()
            self._again.clear()
            self._hurry.clear()
            try:
                self._connect_and_serve(alive)
            except ConnectionError as error:
                self._not_connected(str(error))
            except Exception:  # noqa: BLE001  the box's only way out must not end on one connection's fault
                _log.exception("the link to the hospital failed and starts over")
            finally:
                self._connection = None
                self._connected.clear()
            if monotonic() - began > STEADY_S:
                waits = delays(self._settings.spread_s)
            if self._again.is_set():
                continue
            wait_s = next(waits)
            alive(wait_s)
            if not self._stopping.is_set():
                self._hurry.wait(wait_s)

    def _connect_and_serve(self, alive: Alive) -> None:
        """Returns after a clean end; raises `ConnectionError` with the reason for any other."""
        self._number = self._next_number()
        will = (self.topics.status, self._status("lost", self._number))
        try:
            tls = tls_context(self._settings)  # anew, for a renewed certificate
        except SettingsError as error:
            raise ConnectionError(str(error)) from None
        connection = Connection(self._settings, tls, will, self.events.put)
        connection.open()
        try:
            self._connection = connection
            self._greet(connection)
            self._serve(connection, alive)
        finally:
            connection.close()

    def _greet(self, connection: Connection) -> None:
        """Listens first: who sees the box online can reach it."""
        for topic in (self.topics.prescription, self.topics.reference("+"), self.topics.command("+")):
            known = self._greeted and topic != self.topics.prescription  # references are large
            as_published = topic == self.topics.command("+")  # where nothing may be retained
            connection.subscribe(topic, self._reporting(topic), known=known, as_published=as_published)
        self._greeted = True
        status = self.topics.status
        connection.publish(status, self._status("online", self._number), self._reporting(status), retain=True)
        self._alerts.send_all_again()
        self._trouble = ""
        self._connected.set()
        self.events.put(Connected(self._number))
        _log.info("connected to the broker %s:%d", self._settings.host, self._settings.port)

    def _serve(self, connection: Connection, alive: Alive) -> None:
        delivery = Delivery(self._outbox, connection, self._delivery, self._suspects, self._refused, self._accepted)
        while connection.lost is None and not self._again.is_set():
            alive()
            wait_s = self._despite_the_disk(partial(self._send, connection, delivery))
            if self._stopping.is_set() and (connection.unanswered == 0 or monotonic() > self._stop_by):
                delivery.finish()
                self._farewell(connection)
                return
            self._despite_the_disk(partial(connection.run_one, min(wait_s, POLL_S)))
        if connection.lost is not None:
            delivery.ended()
            raise ConnectionError(connection.lost)
        delivery.finish()

    def _send(self, connection: Connection, delivery: Delivery) -> float:
        """Seconds until there may be more to send."""
        self._alerts.send(connection)
        return delivery.send()

    def _despite_the_disk(self, work: Callable[[], float]) -> float:
        """Its answer, or a while until it is tried again: the connection outlives an outbox that refuses."""
        try:
            return work()
        except OutboxError as error:
            self._troubled(str(error))
            return POLL_S

    def _farewell(self, connection: Connection) -> None:
        status = self.topics.status
        connection.publish(status, self._status("stopped", self._number), self._reporting(status), retain=True)
        deadline = monotonic() + FAREWELL_S
        while connection.unanswered and connection.lost is None and monotonic() < deadline:
            connection.run_one(0.1)

    def _next_number(self) -> int:
        try:
            return self._outbox.next_connection()
        except OutboxError as error:
            self._troubled(str(error))
            return self._number + 1

    def _not_connected(self, reason: str) -> None:
        self._connected.clear()
        if self._troubled(f"no connection to the broker {self._settings.host}:{self._settings.port}: {reason}"):
            self.events.put(Disconnected(reason))

    def _troubled(self, text: str) -> bool:
        """Logs what is wrong once, not at each attempt; False if it was known."""
        if text == self._trouble:
            return False
        self._trouble = text
        _log.warning("%s", text)
        return True

    def _reporting(self, topic: str) -> Callable[[str | None], None]:
        return partial(self._answered, topic)

    def _answered(self, topic: str, refusal: str | None) -> None:
        if refusal is None:
            self._accepted(topic)
        else:
            self._refused(topic, refusal)

    def _refused(self, topic: str, reason: str) -> None:
        if self._rule(topic) in self._refused_topics:
            return
        self._refused_topics[self._rule(topic)] = topic
        _log.error("the broker refuses %s: %s", topic, reason)
        self.events.put(Refused(topic, reason))

    def _accepted(self, topic: str) -> None:
        refused = self._refused_topics.pop(self._rule(topic), None)
        if refused is not None:
            self.events.put(Accepted(refused))

    def _rule(self, topic: str) -> str:
        """What the broker's answer is about: each session has a topic of its own, and comes to no second message."""
        sessions = self.topics.session("")
        return sessions if topic.startswith(sessions) else topic
