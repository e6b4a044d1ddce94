"""A result as a list shows it: few fields, each of a plain type and short, whatever the payload held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_TEXT = 1000
"""Characters of one text."""
MOST_NUMBER = 1e15
"""No measured value is that large, and a page still writes it in full."""
MOST_REPETITIONS = 1000
Payload = Mapping[str, Any]
_TEXTS = ("subject", "exercise", "side", "started", "ended", "status", "reason")
_SCORES = ("pose_dissimilarity", "dynamics_dissimilarity")


def line_of(site: str, box: str, result: Payload) -> dict[str, Any]:
    """site, box: those of the topic, which the broker vouches for.

    A result and its corrections have the same `key`, of which the highest `sequence` counts; a box has keys of its own,
    so that it cannot correct another's.
    """
    correction = part(result, "correction")
    repetitions = result.get("repetitions")
    done = repetitions[:MOST_REPETITIONS] if isinstance(repetitions, list) else []
    sequence = result.get("sequence")
    return {
        "key": f"{site}/{box}/{text(correction, 'replaces') or text(result, 'id')}",
        "sequence": sequence if isinstance(sequence, int) else 0,
        "site": site,
        "box": box,
        "corrected": " by ".join(filter(None, (text(correction, "action"), text(correction, "by")))),
        **{name: text(result, name) for name in _TEXTS},
        **{name: number(part(result, "score"), name) for name in _SCORES},
        "quality": number(part(result, "quality"), "quality"),
        "complete": sum(isinstance(one, dict) and one.get("complete") is True for one in done),
        "repetitions": len(done),
        "synthetic": result.get("synthetic") is True,
    }


def part(message: Payload, key: str) -> Payload:
    found = message.get(key)
    return found if isinstance(found, dict) else {}


def text(message: Payload, key: str) -> str:
    """Empty where there is none."""
    found = message.get(key)
    return str(found)[:MOST_TEXT] if isinstance(found, str | int | float) else ""


def number(message: Payload, key: str) -> float | None:
    found = message.get(key)
    if not isinstance(found, int | float) or isinstance(found, bool):
        return None
    return float(found) if abs(found) < MOST_NUMBER else None
