"""The journal's entries as lines: of each when, who, how bad, about what, and its text; no other field of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

FIELDS = (
    "MESSAGE", "PRIORITY", "_SYSTEMD_UNIT", "UNIT", "SYSLOG_IDENTIFIER",
    "REHABBOX_SESSION", "REHABBOX_EXERCISE", "REHABBOX_DEVICE",
)  # fmt: skip
_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_ABOUT = ("REHABBOX_DEVICE", "REHABBOX_SESSION", "REHABBOX_EXERCISE")


def lines_of(exported: str) -> Iterator[tuple[str, str]]:
    """What stands before each text, and the text. exported: of `journalctl --output=json --all`."""
    for line in exported.splitlines():
        try:
            entry = json.loads(line)
            at = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
        except (ValueError, KeyError, TypeError, OverflowError):
            continue
        who = _text(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or entry.get("SYSLOG_IDENTIFIER"))
        priority = _text(entry.get("PRIORITY"))
        level = _PRIORITIES[int(priority)] if priority in tuple("01234567") else "?"
        about = " ".join(_text(entry[name]) for name in _ABOUT if name in entry)
        yield f"{at:%Y-%m-%dT%H:%M:%S.%f}Z {who} {level}{f' ({about})' if about else ''}:", _text(entry.get("MESSAGE"))


def _text(value: Any) -> str:
    """journalctl gives what is not plain text as its bytes, and a field that stands twice as a list."""
    if not isinstance(value, list):
        return "" if value is None else str(value)
    if all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).decode("utf-8", "replace")
    return " ".join(_text(one) for one in value)
