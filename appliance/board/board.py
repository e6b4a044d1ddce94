"""What the broker's messages say of the boxes and their results: one picture, for a terminal's table and for a page.

Payloads are kept as they came, since a box may be newer than this software; whoever shows one shows it as text.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.messages.topics import Topics, address_of

MOST_BYTES = 256_000
"""Of one payload; a longer one is no message of a box."""
MOST_RESULTS = 20_000
"""Of all boxes; beyond it the oldest are forgotten."""
Payload = Mapping[str, Any]
BoxKey = tuple[str, str]


def filters(site: str) -> tuple[str, ...]:
    """What a board must hear; site: one, or `+` for all."""
    boxes = Topics(site, "+")
    return boxes.status, boxes.health, boxes.session("+"), boxes.alert("+"), boxes.result("+")


@dataclass(slots=True)
class Box:
    """The newest of each kind, empty where none was heard; alerts: those that are raised, by code."""

    site: str
    name: str
    status: Payload = field(default_factory=dict)
    health: Payload = field(default_factory=dict)
    session: Payload = field(default_factory=dict)
    alerts: dict[str, Payload] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message changed. result: one that was not known yet, or a correction."""

    box: Box
    result: Payload | None = None


class Board:
    """Not for two threads at once."""

    def __init__(self) -> None:
        self.boxes: dict[BoxKey, Box] = {}
        self.results: OrderedDict[str, Payload] = OrderedDict()
        """By `measured_id`, in the order they came; of each the newest correction, where there is one."""
        self.unreadable = 0
        """Messages that were none of a box's."""

    def hear(self, topic: str, payload: bytes) -> Heard | None:
        """Takes in one message. None for a copy, and for what is no message of a box, which is counted."""
        address = address_of(topic)
        message = _object(payload)
        if address is None or message is None:
            self.unreadable += 1
            return None
        box = self.boxes.setdefault((address.site, address.box), Box(address.site, address.box))
        match address.kind:
            case "status" | "health" | "session":
                setattr(box, address.kind, message)
            case "alert" if message.get("state") != "raised":  # cleared, or taken off the broker
                box.alerts.pop(address.name, None)
            case "alert":
                box.alerts[address.name] = message
            case "result":
                return self._take(box, message)
            case _:
                return None
        return Heard(box)

    def _take(self, box: Box, result: Payload) -> Heard | None:
        known = measured_id(result)
        before = self.results.get(known)
        if before is not None and sequence_of(before) >= sequence_of(result):
            return None
        self.results[known] = result
        if len(self.results) > MOST_RESULTS:
            self.results.popitem(last=False)
        return Heard(box, result)


def measured_id(result: Payload) -> str:
    """Of the result as it was measured; a correction has an id of its own and names that one."""
    correction = result.get("correction")
    replaced = correction.get("replaces") if isinstance(correction, dict) else None
    return str(replaced or result.get("id", ""))


def sequence_of(result: Payload) -> int:
    """Of a result and its corrections the highest counts."""
    sequence = result.get("sequence")
    return sequence if isinstance(sequence, int) else 0


def _object(payload: bytes) -> dict[str, Any] | None:
    """{} for an empty payload, None for what is no JSON object."""
    if not payload:
        return {}
    if len(payload) > MOST_BYTES:
        return None
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
