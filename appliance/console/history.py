"""Results from before the console was started: those that `tools/consume` has stored."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from appliance.errors import RehabBoxError

_QUERY = "SELECT payload FROM result WHERE site = ? AND subject = ? ORDER BY started DESC LIMIT ?"
MOST = 5000


class History:
    """Read-only; the consumer may write meanwhile. Every method raises `RehabBoxError` with file and remedy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.of("", "")  # a file that is none is told at the start

    def of(self, site: str, subject: str) -> list[dict[str, Any]]:
        """The newest `MOST` payloads of that subject."""
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
                rows = db.execute(_QUERY, (site, subject, MOST)).fetchall()
        except sqlite3.Error as error:
            raise RehabBoxError(
                f"--history {self._path}: {error}; it should be the SQLite file of tools/consume"
            ) from None
        return [json.loads(payload) for (payload,) in rows]
