"""What the broker's messages say of the boxes, as a table; whatever a message holds is shown as text, never obeyed."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from appliance.messages.topics import address_of

RESULTS_KEPT = 20
_COLORS = {"online": "green", "stopped": "yellow", "lost": "red"}


@dataclass(slots=True)
class _Box:
    state: str = "?"
    since: str = ""
    software: str = ""
    session: str = ""
    alerts: dict[str, str] = field(default_factory=dict)


class Ward:
    """Boxes by site and id, and the newest results."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[str, str], _Box] = {}
        self._results: deque[dict[str, Any]] = deque(maxlen=RESULTS_KEPT)
        self._ids: deque[str] = deque(maxlen=10_000)
        self._unreadable = 0

    def hear(self, topic: str, payload: bytes) -> None:
        """Takes in one message; what is no message of a box is counted."""
        address = address_of(topic)
        try:
            message = json.loads(payload) if payload else {}
        except ValueError:
            message = None
        if address is None or not isinstance(message, dict):
            self._unreadable += 1
            return
        box = self._boxes.setdefault((address.site, address.box), _Box())
        match address.kind:
            case "status":
                box.state, box.since = _text(message, "state"), _text(message, "since")
                box.software = _text(message, "software")
            case "session":
                box.session = _text(message, "state")
            case "alert" if not payload or message.get("state") == "cleared":
                box.alerts.pop(address.name, None)
            case "alert":
                box.alerts[address.name] = _text(message, "what")
            case "result" if _text(message, "id") not in self._ids:
                self._ids.append(_text(message, "id"))
                self._results.appendleft(message)

    def table(self, broker: str, connected: bool) -> Group:
        boxes = Table(title=f"Boxes at {broker}{'' if connected else ' (no connection)'}", box=SIMPLE_HEAD)
        for heading in ("site", "box", "state", "since", "session", "alerts"):
            boxes.add_column(heading)
        for (site, name), box in sorted(self._boxes.items()):
            state = Text(box.state, style=_COLORS.get(box.state, ""))
            alerts = "; ".join(f"{code}: {what}" for code, what in sorted(box.alerts.items()))
            boxes.add_row(Text(site), Text(name), state, Text(box.since[:19]), Text(box.session), Text(alerts))
        results = Table(title="Newest results", box=SIMPLE_HEAD)
        for heading in ("ended", "box", "subject", "exercise", "side", "status", "D_P", "D_T"):
            results.add_column(heading)
        for result in self._results:
            score = result.get("score") if isinstance(result.get("score"), dict) else {}
            assert isinstance(score, dict)
            cells = [_text(result, key) for key in ("ended", "box", "subject", "exercise", "side", "status")]
            cells[0] = cells[0][:19]
            cells += [_number(score.get(key)) for key in ("pose_dissimilarity", "dynamics_dissimilarity")]
            results.add_row(*map(Text, cells))
        footer = [Text(f"{self._unreadable} messages were not a box's")] if self._unreadable else []
        return Group(boxes, results, *footer)


def _text(message: dict[str, Any], key: str) -> str:
    return str(message.get(key, ""))


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "-"
