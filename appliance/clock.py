"""Whether the box's clock can be believed; results, certificates and orders hang on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path


def installed() -> datetime:
    """When this software was: its own files cannot be newer than now."""
    return datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)


def is_sane(now: datetime) -> bool:
    """False for a clock that was never set, as after a battery went flat."""
    return now >= installed()
