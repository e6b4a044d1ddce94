"""The board as a table on a terminal; whatever a message holds is shown as text, never obeyed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from appliance.board.board import Board, Box
from appliance.printable import printable

MOST_RESULTS = 20
_COLORS = {"online": "green", "stopped": "yellow", "lost": "red"}
_FURNITURE = 14
"""Lines that are neither a box nor a result."""


def table_of(board: Board, broker: str, *, connected: bool, height: int | None = None) -> Group:
    """height: lines there are; what is wrong is shown first, and how many more boxes there are. None: all of them."""
    boxes = Table(title=f"Boxes at {broker}", caption=_summary(board), box=SIMPLE_HEAD)
    for heading in ("site", "box", "state", "since", "session", "waiting", "alerts"):
        boxes.add_column(heading, justify="right" if heading == "waiting" else "left", overflow="fold")
    room = len(board.boxes) + MOST_RESULTS if height is None else max(height - _FURNITURE, 4)
    shown_results = min(len(board.results), MOST_RESULTS, max(room // 3, room - len(board.boxes)))
    shown = sorted(board.boxes.items(), key=lambda one: (not _troubled(one[1]), one[0]))[: room - shown_results]
    for _, box in shown:
        boxes.add_row(*_row(box))
    results = Table(title="Newest results", box=SIMPLE_HEAD)
    for heading in ("ended", "box", "subject", "exercise", "side", "status", "D_P", "D_T"):
        results.add_column(heading, justify="right" if heading.startswith("D_") else "left")
    for result in islice(reversed(board.results.values()), shown_results):
        cells = [_text(result, key) for key in ("ended", "box", "subject", "exercise", "side", "status")]
        cells[0] = cells[0][:19]
        cells += [_number(result[key]) for key in ("pose_dissimilarity", "dynamics_dissimilarity")]
        results.add_row(*map(Text, cells))
    lost = "No connection to the broker: what stands here was said before. Trying again."
    head = [] if connected else [Text(lost, style="bold red")]
    notes = []
    if left := len(board.boxes) - len(shown):
        notes.append(Text(f"{left} more boxes do not fit here"))
    if board.unreadable:
        notes.append(Text(f"{board.unreadable} messages were not a box's"))
    return Group(*head, boxes, results, *notes)


def _summary(board: Board) -> str:
    states = Counter(_text(box.status, "state") for box in board.boxes.values())
    told = [f"{states[state]} {state}" for state in _COLORS if states[state]]
    alerts = sum(bool(box.alerts) for box in board.boxes.values())
    return ", ".join([f"{len(board.boxes)} boxes", *told, *([f"{alerts} with alerts"] if alerts else [])])


def _troubled(box: Box) -> bool:
    return bool(box.alerts) or _text(box.status, "state") == "lost"


def _row(box: Box) -> list[Text]:
    state = Text(_text(box.status, "state") or "?", style=_COLORS.get(_text(box.status, "state"), ""))
    alerts = "; ".join(f"{code}: {_text(alert, 'what')}" for code, alert in sorted(box.alerts.items()))
    return [
        Text(printable(box.site)),
        Text(printable(box.name)),
        state,
        Text(_text(box.status, "since")[:19]),
        Text(_text(box.session, "state")),
        Text(_text(box.health, "queued")),
        Text(printable(alerts)),
    ]


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    return "" if value is None else printable(str(value))


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "-"
