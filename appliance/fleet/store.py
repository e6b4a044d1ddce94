"""The fleet's database: boxes, people and systems, and every certificate that was issued to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from appliance.errors import FleetError
from appliance.fleet.audit import Head
from appliance.fleet.boxes import Box

State = Literal["active", "revoked", "retired"]
VERSION = 1

_TABLES = """
CREATE TABLE boxes (box TEXT PRIMARY KEY, site TEXT NOT NULL, serial TEXT NOT NULL, note TEXT NOT NULL,
                    state TEXT NOT NULL DEFAULT 'active');
CREATE TABLE users (name TEXT PRIMARY KEY, role TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'active');
CREATE TABLE certificates (serial TEXT PRIMARY KEY, name TEXT NOT NULL, issued TEXT NOT NULL, expires TEXT NOT NULL,
                           pem TEXT NOT NULL, revoked TEXT, reason TEXT);
CREATE INDEX certificates_of ON certificates (name, issued);
CREATE TABLE head (number INTEGER NOT NULL, digest TEXT NOT NULL);
CREATE TABLE places (what TEXT PRIMARY KEY, folder TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate. serial: hexadecimal; revoked: when, or None."""

    serial: str
    name: str
    issued: datetime
    expires: datetime
    pem: str
    revoked: datetime | None
    reason: str | None

    @property
    def valid(self) -> bool:
        return self.revoked is None and self.expires > datetime.now(UTC)


class Store:
    """Its rows; the caller commits. Raises `FleetError` where the database cannot be used."""

    def __init__(self, file: Path, create: bool = False) -> None:
        if not create and not file.exists():
            raise FleetError(f"{file.parent}: is no fleet's folder; make one with rehabbox fleet init")
        file.touch(0o600)
        self.db = sqlite3.connect(file, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        try:
            self.db.execute("PRAGMA synchronous = FULL")
            (version,) = self.db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            self.db.close()
            raise FleetError(f"{file}: {error}") from None
        if version > VERSION:
            self.db.close()
            raise FleetError(f"{file}: was written by a newer rehabbox")

    def create(self) -> None:
        for statement in _TABLES.split(";"):
            self.db.execute(statement)
        self.db.execute("INSERT INTO head VALUES (?, ?)", (Head().number, Head().digest))
        self.db.execute(f"PRAGMA user_version = {VERSION}")

    def boxes(self) -> Iterator[tuple[Box, State]]:
        for row in self.db.execute("SELECT * FROM boxes ORDER BY box"):
            yield Box(row["box"], row["site"], row["serial"], row["note"]), row["state"]

    def box(self, name: str) -> tuple[Box, State] | None:
        row = self.db.execute("SELECT * FROM boxes WHERE box = ?", (name,)).fetchone()
        return row and (Box(row["box"], row["site"], row["serial"], row["note"]), row["state"])

    def put_box(self, box: Box) -> None:
        self.db.execute(
            "INSERT INTO boxes (box, site, serial, note) VALUES (?, ?, ?, ?) ON CONFLICT (box) DO UPDATE"
            " SET site = excluded.site, serial = excluded.serial, note = excluded.note",
            (box.box, box.site, box.serial, box.note),
        )

    def users(self) -> list[tuple[str, str, State]]:
        """Name, role and state."""
        return [tuple(row) for row in self.db.execute("SELECT name, role, state FROM users ORDER BY name")]

    def put_user(self, name: str, role: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO users (name, role) VALUES (?, ?)", (name, role))

    def set_state(self, name: str, state: State) -> None:
        """Of a box or a user; no name is both."""
        self.db.execute("UPDATE boxes SET state = ? WHERE box = ?", (state, name))
        self.db.execute("UPDATE users SET state = ? WHERE name = ?", (state, name))

    def put_certificate(self, issued: Issued) -> None:
        values = (issued.serial, issued.name, issued.issued.isoformat(), issued.expires.isoformat(), issued.pem)
        self.db.execute("INSERT INTO certificates (serial, name, issued, expires, pem) VALUES (?, ?, ?, ?, ?)", values)

    def certificates(self, name: str | None = None) -> list[Issued]:
        """Oldest first; of one name or all."""
        rows = self.db.execute(
            "SELECT * FROM certificates WHERE ? IS NULL OR name = ? ORDER BY issued, rowid", (name, name)
        )
        return [
            Issued(
                row["serial"],
                row["name"],
                datetime.fromisoformat(row["issued"]),
                datetime.fromisoformat(row["expires"]),
                row["pem"],
                datetime.fromisoformat(row["revoked"]) if row["revoked"] else None,
                row["reason"],
            )
            for row in rows
        ]

    def revoke(self, serial: str, at: datetime, reason: str) -> None:
        self.db.execute(
            "UPDATE certificates SET revoked = ?, reason = ? WHERE serial = ?", (at.isoformat(), reason, serial)
        )

    @property
    def broker_files(self) -> Path | None:
        """Where the broker's files were last written."""
        row = self.db.execute("SELECT folder FROM places WHERE what = 'broker'").fetchone()
        return row and Path(row["folder"])

    @broker_files.setter
    def broker_files(self, folder: Path) -> None:
        self.db.execute("INSERT OR REPLACE INTO places VALUES ('broker', ?)", (str(folder),))

    @property
    def head(self) -> Head:
        row = self.db.execute("SELECT number, digest FROM head").fetchone()
        return Head(row["number"], row["digest"])

    @head.setter
    def head(self, head: Head) -> None:
        self.db.execute("UPDATE head SET number = ?, digest = ?", (head.number, head.digest))
