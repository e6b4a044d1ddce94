"""Logging as the journal keeps it: each line with fields to filter by, instead of text to search.

`journalctl REHABBOX_SESSION=...`, `REHABBOX_EXERCISE=squat`, `REHABBOX_DEVICE=camera`. Who the patient is, is no field:
the log is read by people who need not know. An identifier that comes into a line by a fault is blotted out. Without the
journal, lines go to stderr as ever.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Literal

from systemd.journal import send

from appliance.privacy.blot import Blot

Field = Literal["session", "exercise"]

PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""Python's levels as syslog's (syslog(3))."""
DEVICE_THREAD = "capture-"
"""Threads that serve one device are named so, with the device's role."""

_about: dict[str, str] = {}
"""What the box is at; there is one session at a time, and several threads log about it."""
_concealed: Callable[[], frozenset[str]] = frozenset


@contextmanager
def about(field: Field, value: str) -> Iterator[None]:
    """Every line that is logged meanwhile, by any thread, is about that."""
    _about[field] = value
    try:
        yield
    finally:
        _about.pop(field, None)


def conceal(identifiers: Callable[[], frozenset[str]]) -> None:
    """None of them stands in the log from now on. identifiers: of patients, asked for with each line."""
    global _concealed
    _concealed = identifiers


class DiscreetFormatter(logging.Formatter):
    """Blots what is concealed out of a whole entry, the trace of a fault included."""

    def format(self, record: logging.LogRecord) -> str:
        return _blot(_concealed())(super().format(record))


@lru_cache(maxsize=1)
def _blot(identifiers: frozenset[str]) -> Blot:
    return Blot(identifiers)


class JournalHandler(logging.Handler):
    """One entry a record. send: for tests."""

    def __init__(self, send: Callable[..., object] = send) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._send(self.format(record), **fields_of(record))
        except Exception:  # noqa: BLE001  as every handler: a line that cannot be logged stops nothing
            self.handleError(record)


def fields_of(record: logging.LogRecord) -> dict[str, str | int]:
    """The entry's fields but its text."""
    level = max((level for level in PRIORITIES if level <= record.levelno), default=logging.DEBUG)
    fields: dict[str, str | int] = {
        "PRIORITY": str(PRIORITIES[level]),
        "SYSLOG_IDENTIFIER": "rehabbox",
        "LOGGER": record.name,
        "THREAD_NAME": record.threadName or "",
        "CODE_FILE": record.pathname,
        "CODE_LINE": record.lineno,
        "CODE_FUNC": record.funcName or "",
    }
    fields |= {f"REHABBOX_{name.upper()}": value for name, value in tuple(_about.items())}
    if record.threadName and record.threadName.startswith(DEVICE_THREAD):
        fields["REHABBOX_DEVICE"] = record.threadName.removeprefix(DEVICE_THREAD)
    return fields


def log_to_supervisor(level: str, environment: Mapping[str, str] = os.environ) -> None:
    """To the journal where systemd gave us a stream to it, else to stderr. Called again it changes the level."""
    logging.getLogger().setLevel(level)
    in_journal = "JOURNAL_STREAM" in environment
    handler = JournalHandler() if in_journal else logging.StreamHandler()
    when = "" if in_journal else "%(asctime)s %(levelname)s "
    handler.setFormatter(DiscreetFormatter(f"{when}%(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    threading.excepthook = _uncaught


def _uncaught(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread is not None else "a thread"
    error = args.exc_value
    _log.critical("%s ended by a fault", name, exc_info=error)


_log = logging.getLogger(__name__)
