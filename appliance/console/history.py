"""Results from before the console was started: those that `tools/consume` has stored."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from appliance.board.board import message_in
from appliance.board.line import Payload, line_of
from appliance.errors import RehabBoxError

_QUERY = "SELECT box, payload FROM result WHERE site = ? AND subject = ? ORDER BY started DESC LIMIT ?"
MOST = 5000


class History:
    """Read-only; the consumer may write meanwhile. Every method raises `RehabBoxError` with file and remedy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.of("", "")  # a file that is none is told at the start

    def of(self, site: str, subject: str) -> list[Payload]:
        """The lines of the newest `MOST` of that subject."""
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
                rows = db.execute(_QUERY, (site, subject, MOST)).fetchall()
        except sqlite3.Error as error:
            raise RehabBoxError(
                f"--history {self._path}: {error}; it should be the SQLite file of tools/consume"
            ) from None
        found = ((box, message_in(payload.encode())) for box, payload in rows)
        return [line_of(site, box, message) for box, message in found if message]
