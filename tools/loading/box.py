"""A box as the broker sees it: the daemon's own link, driven by the loop instead of by a thread of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from uuid import UUID

from appliance.hospital.connection import CONNECT_S
from appliance.hospital.delivery import Delivery
from appliance.hospital.link import STEADY_S, Link, delays
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing
from appliance.hospital.settings import BrokerSettings, tls_context
from appliance.messages.model import encode
from appliance.messages.status import State, Status
from appliance.messages.topics import Topics
from line import Line
from loop import Loop

HEALTH_S = 30.0
HEALTH_EXPIRY_S = 90
LOOK_AFTER_S = 5.0
OPENING_S = 3 * CONNECT_S
"""TCP, TLS and the broker's answer: the box gives each of them CONNECT_S."""


@dataclass
class Journal:
    """What all boxes did; times are monotonic."""

    put: dict[str, datetime] = field(default_factory=dict)
    """By the result's id, when it was made, to be put on the box's disk."""
    attempts: list[float] = field(default_factory=list)
    connected: list[float] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    """Why connections ended or did not come about."""
    refused: Counter[str] = field(default_factory=Counter)
    """Topic and reason."""


class Box(Link):
    """Works from `start` on, on the loop. Greeting, alerts, delivery, outbox and backoff are the link's own."""

    def __init__(
        self, settings: BrokerSettings, folder: Path, loop: Loop, journal: Journal, make: Callable[[str, int], bytes],
        messages: Callable[[Topics, bytes], list[Outgoing]], health: bytes,
    ) -> None:  # fmt: skip
        topics = Topics(settings.site, settings.box)
        self.outbox = Outbox(folder / settings.box, partial(messages, topics))
        super().__init__(settings, self.outbox, status)
        self._loop, self._journal, self._make, self._health = loop, journal, make, health
        self._tls = tls_context(settings)
        self._line: Line | None = None
        self._delivery_over: Delivery | None = None
        self._made = 0
        self._began_s = 0.0
        self._waits: Iterator[float] = delays(settings.spread_s)

    def start(self) -> None:
        self._connect()
        self._loop.after(LOOK_AFTER_S, self._look_after)
        self._loop.after(HEALTH_S, self._say_health)

    def put_result(self) -> None:
        self._made += 1
        self.outbox.put_result(SESSION, f"{self._made:05d}_squat", partial(self._make, self._settings.box))
        self._serve_now()

    def cut_line(self) -> None:
        """As a router that restarts does."""
        if self._line is not None and self.connected:
            self._line.end("cut")
            self._changed(self._line)

    def close(self) -> None:
        if self._line is not None:
            self._line.end("closed")
        self.outbox.close()

    def _connect(self) -> None:
        self._number = self._next_number()
        self._began_s = monotonic()
        self._journal.attempts.append(self._began_s)
        line = Line(self._settings, self._tls, (self.topics.status, status("lost", self._number)), self._loop)
        line.on_change = partial(self._changed, line)
        self._line = line
        self._loop.after(OPENING_S, partial(self._too_late, line))
        line.begin()

    def _changed(self, line: Line) -> None:
        if line is not self._line:
            return
        if line.lost is None and line.opened:
            if not self.connected:
                self._greet(line)
                self._journal.connected.append(monotonic())
                self._delivery_over = Delivery(
                    self._outbox, line, self._delivery, self._suspects, self._refused, self._accepted
                )
            self._serve_now()
        if line.lost is not None:
            self._ended(line)

    def _serve_now(self) -> None:
        if self._line is not None and self._delivery_over is not None:
            self._alerts.send(self._line)
            wait_s = self._delivery_over.send()
            if wait_s < LOOK_AFTER_S:
                self._loop.after(wait_s, partial(self._serve_again, self._delivery_over))

    def _serve_again(self, delivery: Delivery) -> None:
        if delivery is self._delivery_over:
            self._serve_now()

    def _ended(self, line: Line) -> None:
        self._journal.ended[str(line.lost)] += 1
        if self._delivery_over is not None:
            self._delivery_over.ended()
        line.end("")
        self._line = self._delivery_over = None
        self._connected.clear()
        if monotonic() - self._began_s > STEADY_S:
            self._waits = delays(self._settings.spread_s)
        self._loop.after(next(self._waits), self._connect)

    def _too_late(self, line: Line) -> None:
        if line is self._line and not self.connected:
            line.end("no answer in time")
            self._changed(line)

    def _look_after(self) -> None:
        if self._line is not None and self.connected:
            self._line.look_after()
        self._loop.after(LOOK_AFTER_S, self._look_after)

    def _say_health(self) -> None:
        if self._line is not None and self.connected:
            self._line.publish_once(self.topics.health, self._health, HEALTH_EXPIRY_S)
        self._loop.after(HEALTH_S, self._say_health)

    def _refused(self, topic: str, reason: str) -> None:
        self._journal.refused[f"{topic.split('/')[4]}: {reason}"] += 1


SESSION = str(UUID(int=0x10AD, version=4))


def status(state: State, number: int) -> bytes:
    return encode(
        Status(
            state=state, connection=number, since=datetime.now(UTC), software="load", model=None, weights=None,
            drivers={"camera": "synthetic", "pose": "synthetic", "imu": "synthetic"}, sbom_sha256=None,
        )
    )  # fmt: skip
