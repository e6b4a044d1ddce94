"""What the link tells the daemon."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker knows us; `number` is the connection's, as in `status`."""

    number: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection ended or none came about. Told once for each reason in a row, not at each attempt."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker did not do what a publish or a subscription on `topic` asked for; what was durable is kept.

    Told once for each topic, and again after it was `Accepted`.
    """

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was `Refused` on a topic is done now."""

    topic: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the hospital, unchecked. An empty payload withdraws what was retained there."""

    topic: str
    payload: bytes
    retained: bool
    """It lies at the broker, and is sent again at each connection; of a prescription or reference: it lay there before
    we connected."""
    response_topic: str | None = None
    correlation: bytes | None = None


Event = Connected | Disconnected | Refused | Accepted | Received
