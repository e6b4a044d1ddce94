"""What the page is told of a box and of a result: few fields, each of a plain type whatever the payload held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.board.board import Box, Payload, measured_id, sequence_of

View = dict[str, Any]
_TEXTS = ("box", "subject", "exercise", "side", "started", "ended", "status", "reason", "session")
_SCORES = ("pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "dissimilarity_extended", "tempo_ratio")


def box_row(box: Box) -> View:
    """A line of the list."""
    free, size = _number(box.health, "disk_free_bytes"), _number(box.health, "disk_bytes")
    return {
        "site": box.site,
        "name": box.name,
        "state": _text(box.status, "state"),
        "since": _text(box.status, "since"),
        "software": _text(box.status, "software"),
        "session": _text(box.session, "state"),
        "queued": _number(box.health, "queued"),
        "disk_free": None if free is None or not size else free / size,
        "temperature_c": _number(box.health, "temperature_c"),
        "devices": {role: _text(device, "state") for role, device in _devices(box).items()},
        "alerts": {code: _text(alert, "what") for code, alert in sorted(box.alerts.items())},
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


def result_row(result: Payload, site: str) -> View:
    """A line of the results, a point of a course."""
    score, quality = _part(result, "score"), _part(result, "quality")
    repetitions = result.get("repetitions")
    done = [one for one in repetitions if isinstance(one, dict)] if isinstance(repetitions, list) else []
    correction = _part(result, "correction")
    return {
        "key": measured_id(result),
        "sequence": sequence_of(result),
        "site": site,
        "corrected": " by ".join(filter(None, (_text(correction, "action"), _text(correction, "by")))),
        **{name: _text(result, name) for name in _TEXTS},
        **{name: _number(score, name) for name in _SCORES},
        "quality": _number(quality, "quality"),
        "level": _text(_part(result, "fine_rehab"), "level"),
        "complete": sum(one.get("complete") is True for one in done),
        "repetitions": len(done),
        "joints_seen": _number(_part(result, "data_quality"), "joints_seen"),
        "synthetic": result.get("synthetic") is True,
    }


def _devices(box: Box) -> dict[str, Payload]:
    return {str(role): one for role, one in _part(box.health, "devices").items() if isinstance(one, dict)}


def _part(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = message.get(key)
    return found if isinstance(found, dict) else {}


def _text(message: Mapping[str, Any], key: str) -> str:
    found = message.get(key)
    return "" if found is None else str(found)


def _number(message: Mapping[str, Any], key: str) -> float | None:
    found = message.get(key)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
