"""The board as a table on a terminal; whatever a message holds is shown as text, never obeyed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from appliance.board.board import Board, Box

RESULTS_SHOWN = 20
_COLORS = {"online": "green", "stopped": "yellow", "lost": "red"}


def table_of(board: Board, broker: str, *, connected: bool) -> Group:
    boxes = Table(title=f"Boxes at {broker}{'' if connected else ' (no connection)'}", box=SIMPLE_HEAD)
    for heading in ("site", "box", "state", "since", "session", "waiting", "alerts"):
        boxes.add_column(heading, justify="right" if heading == "waiting" else "left")
    for _, box in sorted(board.boxes.items()):
        boxes.add_row(*_row(box))
    results = Table(title="Newest results", box=SIMPLE_HEAD)
    for heading in ("ended", "box", "subject", "exercise", "side", "status", "D_P", "D_T"):
        results.add_column(heading, justify="right" if heading.startswith("D_") else "left")
    for result in islice(reversed(board.results.values()), RESULTS_SHOWN):
        score = result.get("score") if isinstance(result.get("score"), dict) else {}
        assert isinstance(score, dict)
        cells = [_text(result, key) for key in ("ended", "box", "subject", "exercise", "side", "status")]
        cells[0] = cells[0][:19]
        cells += [_number(score.get(key)) for key in ("pose_dissimilarity", "dynamics_dissimilarity")]
        results.add_row(*map(Text, cells))
    footer = [Text(f"{board.unreadable} messages were not a box's")] if board.unreadable else []
    return Group(boxes, results, *footer)


def _row(box: Box) -> list[Text]:
    state = Text(_text(box.status, "state") or "?", style=_COLORS.get(_text(box.status, "state"), ""))
    alerts = "; ".join(f"{code}: {_text(alert, 'what')}" for code, alert in sorted(box.alerts.items()))
    return [
        Text(box.site),
        Text(box.name),
        state,
        Text(_text(box.status, "since")[:19]),
        Text(_text(box.session, "state")),
        Text(_text(box.health, "queued")),
        Text(alerts),
    ]


def _text(message: Mapping[str, Any], key: str) -> str:
    return str(message.get(key, ""))


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "-"
