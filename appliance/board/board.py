"""What the broker's messages say of the boxes and their results: one picture, for a terminal's table and for a page.

What a box tells of itself is kept as it came, since it may be newer than this software, and whoever shows it shows it
as text; of a result, of which there are many, only what a list shows.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

from appliance.board.line import Payload, line_of
from appliance.messages.topics import Address, Topics, address_of

MOST_BYTES = 256_000
"""Of one payload; a longer one is no message of a box."""
MOST_RESULTS = 20_000
"""Of all boxes; beyond it the oldest are forgotten."""
MOST_RESULTS_OF_BOX = 2000
"""So that one that repeats itself without end does not push out those of all others."""
MOST_BOXES = 50_000
MOST_ALERTS = 100
"""Of one box, which has some two dozen codes; what a broken one raises beyond it is not kept."""
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
    keys: deque[str] = field(default_factory=deque)
    """Of its results, the oldest first."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message changed. result: the line of one that was not known yet, or of a correction."""

    box: Box
    result: Payload | None = None


class Board:
    """Not for two threads at once."""

    def __init__(self) -> None:
        self.boxes: dict[BoxKey, Box] = {}
        self.results: OrderedDict[str, Payload] = OrderedDict()
        """Lines by key, in the order they came; of each the newest correction, where there is one."""
        self.unreadable = 0
        """Messages that were none of a box's, and those beyond `MOST_BOXES` and `MOST_ALERTS`."""

    def hear(self, topic: str, payload: bytes) -> Heard | None:
        """Takes in one message. None for a copy, and for what is no message of a box, which is counted."""
        address = address_of(topic)
        message = message_in(payload)
        box = self._box_at(address) if address is not None and message is not None else None
        if address is None or message is None or box is None:
            self.unreadable += 1
            return None
        match address.kind:
            case "status" | "health" | "session":
                setattr(box, address.kind, message)
            case "alert" if message.get("state") != "raised":  # cleared, or taken off the broker
                box.alerts.pop(address.name, None)
            case "alert" if address.name in box.alerts or len(box.alerts) < MOST_ALERTS:
                box.alerts[address.name] = message
            case "result":
                return self._take(box, message)
            case _:
                self.unreadable += 1
                return None
        return Heard(box)

    def _box_at(self, address: Address) -> Box | None:
        """None for a new one where there are too many."""
        key = (address.site, address.box)
        if key not in self.boxes and len(self.boxes) < MOST_BOXES:
            self.boxes[key] = Box(*key)
        return self.boxes.get(key)

    def _take(self, box: Box, result: Payload) -> Heard | None:
        line = line_of(box.site, box.name, result)
        before = self.results.get(line["key"])
        if before is not None and before["sequence"] >= line["sequence"]:
            return None
        self.results[line["key"]] = line
        if before is None:
            box.keys.append(line["key"])
        if len(box.keys) > MOST_RESULTS_OF_BOX:
            self.results.pop(box.keys.popleft(), None)
        if len(self.results) > MOST_RESULTS:
            self.results.popitem(last=False)
        return Heard(box, line)


def message_in(payload: bytes) -> dict[str, Any] | None:
    """{} for an empty payload, None for what is no JSON object or holds what no JSON may: NaN, half a character."""
    if not payload:
        return {}
    if len(payload) > MOST_BYTES:
        return None
    try:
        message = json.loads(payload)
        json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
