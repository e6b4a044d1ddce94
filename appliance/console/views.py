"""What the page is told of a box."""

from __future__ import annotations

from typing import Any

from appliance.board.board import Box
from appliance.board.line import number, text

View = dict[str, Any]


def box_row(box: Box) -> View:
    """A line of the list: few fields, each of a plain type whatever the payload held."""
    free, size = number(box.health, "disk_free_bytes"), number(box.health, "disk_bytes")
    return {
        "site": box.site,
        "name": box.name,
        "state": text(box.status, "state"),
        "since": text(box.status, "since"),
        "software": text(box.status, "software"),
        "session": text(box.session, "state"),
        "queued": number(box.health, "queued"),
        "disk_free": None if free is None or size is None or size < 1 else free / size,
        "temperature_c": number(box.health, "temperature_c"),
        "alerts": {
            code: {name: text(alert, name) for name in ("what", "since", "remedy")}
            for code, alert in sorted(box.alerts.items())
        },
    }


def box_details(box: Box) -> View:
    """Everything that was heard of it."""
    return {
        "site": box.site,
        "name": box.name,
        "status": dict(box.status),
        "health": dict(box.health),
        "session": dict(box.session),
        "alerts": dict(sorted(box.alerts.items())),
    }
