"""Who did what, when: one line of JSON each, chained by SHA-256, so that a line changed or taken out is seen.

The number and digest of the last line are kept in the fleet's database as well, so that a log that was cut short is
seen too. Whoever may write both can forge both: keep a copy of the log, or of its last digest, elsewhere.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import FleetError

BEGIN = "0" * 64


@dataclass(frozen=True, slots=True)
class Head:
    """Of the last line: its number from 1, and the SHA-256 of its bytes without the line's end."""

    number: int = 0
    digest: str = BEGIN


class AuditLog:
    """Append only. Raises `FleetError`."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def append(self, head: Head, entries: list[Mapping[str, object]]) -> Head:
        """On disk when it returns: the new head."""
        lines = []
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for entry in entries:
            known = {"number": head.number + 1, "at": at, "who": _who(), **entry, "previous": head.digest}
            line = json.dumps(known, ensure_ascii=False).encode()
            head = Head(head.number + 1, _digest(line))
            lines.append(line + b"\n")
        try:
            with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as stream:
                stream.write(b"".join(lines))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise FleetError(f"{self.file}: cannot be written: {error.strerror}") from None
        return head

    def take_back(self, head: Head) -> None:
        """Cuts off what was written for a change that then did not happen: a crash between the two, or in the middle
        of a line. What is none of ours stays, for `verify` to find."""
        lines = self._lines()
        ours = lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]
        if len(lines) > head.number and self._fault(ours) is None:
            try:
                with self.file.open("r+b") as stream:
                    stream.truncate(sum(map(len, lines[: head.number])))
                    os.fsync(stream.fileno())
            except OSError as error:
                raise FleetError(f"{self.file}: cannot be written: {error.strerror}") from None

    def text(self) -> str:
        """All of it, as far as it is text."""
        return b"".join(self._lines()).decode("utf-8", "replace")

    def verify(self, head: Head) -> str | None:
        """None, or what is wrong and in which line."""
        lines = self._lines()
        fault = self._fault(lines)
        if fault is None and len(lines) != head.number:
            fault = f"has {len(lines)} lines, and {head.number} were written"
        if fault is None and lines and _digest(lines[-1]) != head.digest:
            fault = f"line {len(lines)} was changed"
        return fault and f"{self.file}: {fault}"

    def _lines(self) -> list[bytes]:
        return self.file.read_bytes().splitlines(keepends=True) if self.file.exists() else []

    @staticmethod
    def _fault(lines: list[bytes]) -> str | None:
        """In the chain; the last line has none behind it that would tell."""
        previous = BEGIN
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                fits = entry["number"] == number and entry["previous"] == previous
            except (ValueError, KeyError, TypeError, RecursionError):
                fits = False
            if not fits:
                return f"line {number} was changed, or a line before it was taken out or put in"
            previous = _digest(line)
        return None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line.rstrip(b"\n")).hexdigest()


def _who() -> str:
    """The person at the keyboard, through sudo as well."""
    name = os.environ.get("SUDO_USER")
    if name:
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
