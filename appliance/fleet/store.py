"""The fleet's database: boxes, people and systems, and every certificate that was issued to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

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
        self._file = file
        try:
            file.touch(0o600)
            self.db = sqlite3.connect(file, isolation_level=None)
        except sqlite3.Error as error:
            raise FleetError(f"{file}: {error}") from None
        self.db.row_factory = sqlite3.Row
        try:
            self._check(create)
        except FleetError:
            self.db.close()
            raise

    def _check(self, create: bool) -> None:
        self.run("PRAGMA synchronous = FULL")
        ((version,),) = self.run("PRAGMA user_version")
        if version > VERSION:
            raise FleetError(f"{self._file}: was written by a newer rehabbox")
        if version == 0 and not create:
            raise FleetError(f"{self._file}: holds no fleet; put it back from a backup of the folder")

    def run(self, statement: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        try:
            return self.db.execute(statement, values).fetchall()
        except (sqlite3.Error, UnicodeError) as error:
            raise FleetError(f"{self._file}: {error}") from None

    def _row(self, statement: str, values: tuple[object, ...] = ()) -> Any:
        return next(iter(self.run(statement, values)), None)

    def create(self) -> None:
        for statement in _TABLES.split(";"):
            self.run(statement)
        self.run("INSERT INTO head VALUES (?, ?)", (Head().number, Head().digest))
        self.run(f"PRAGMA user_version = {VERSION}")

    def boxes(self) -> Iterator[tuple[Box, State]]:
        for row in self.run("SELECT * FROM boxes ORDER BY box"):
            yield Box(row["box"], row["site"], row["serial"], row["note"]), row["state"]

    def box(self, name: str) -> tuple[Box, State] | None:
        row = self._row("SELECT * FROM boxes WHERE box = ?", (name,))
        return row and (Box(row["box"], row["site"], row["serial"], row["note"]), row["state"])

    def put_box(self, box: Box) -> None:
        self.run(
            "INSERT INTO boxes (box, site, serial, note) VALUES (?, ?, ?, ?) ON CONFLICT (box) DO UPDATE"
            " SET site = excluded.site, serial = excluded.serial, note = excluded.note",
            (box.box, box.site, box.serial, box.note),
        )

    def users(self) -> list[tuple[str, str, State]]:
        """Name, role and state."""
        return [tuple(row) for row in self.run("SELECT name, role, state FROM users ORDER BY name")]

    def put_user(self, name: str, role: str) -> None:
        self.run("INSERT OR REPLACE INTO users (name, role) VALUES (?, ?)", (name, role))

    def set_state(self, name: str, state: State) -> None:
        """Of a box or a user; no name is both."""
        self.run("UPDATE boxes SET state = ? WHERE box = ?", (state, name))
        self.run("UPDATE users SET state = ? WHERE name = ?", (state, name))

    def put_certificate(self, issued: Issued) -> None:
        values = (issued.serial, issued.name, issued.issued.isoformat(), issued.expires.isoformat(), issued.pem)
        self.run("INSERT INTO certificates (serial, name, issued, expires, pem) VALUES (?, ?, ?, ?, ?)", values)

    def certificates(self, name: str | None = None) -> list[Issued]:
        """Oldest first; of one name or all."""
        rows = self.run("SELECT * FROM certificates WHERE ? IS NULL OR name = ? ORDER BY issued, rowid", (name, name))
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
        self.run("UPDATE certificates SET revoked = ?, reason = ? WHERE serial = ?", (at.isoformat(), reason, serial))

    @property
    def broker_files(self) -> Path | None:
        """Where the broker's files were last written."""
        row = self._row("SELECT folder FROM places WHERE what = 'broker'")
        return row and Path(row["folder"])

    @broker_files.setter
    def broker_files(self, folder: Path) -> None:
        self.run("INSERT OR REPLACE INTO places VALUES ('broker', ?)", (str(folder),))

    @property
    def head(self) -> Head:
        row = self._row("SELECT number, digest FROM head")
        return Head(row["number"], row["digest"])

    @head.setter
    def head(self, head: Head) -> None:
        self.run("UPDATE head SET number = ?, digest = ?", (head.number, head.digest))
