"""The outbox's SQLite file: opened, brought up to date, checked, and set aside where it is damaged.

`synchronous=FULL` in WAL mode makes a commit survive a power cut (sqlite.org/pragma.html).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

_VERSION = 3
_OUTBOX = """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        sequence INTEGER,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        crc INTEGER NOT NULL,
        put_at TEXT NOT NULL,
        subject TEXT,
        correlation BLOB
    )
"""
_SHORT_READ = 522
"""SQLITE_IOERR_SHORT_READ: the file ends where a page should be."""


class DamageError(sqlite3.DatabaseError):
    """A row does not hold what was written."""


@dataclass(frozen=True, slots=True)
class Salvage:
    """What could be read of a damaged file. telemetry: messages that waited and belong to no result; None: unknown."""

    aside: Path
    counters: dict[str, int]
    alerts: list[str]
    telemetry: int | None


def open_file(path: Path) -> tuple[sqlite3.Connection, bool]:
    """The database, and whether it is new. Raises `sqlite3.Error`, with `is_damage` for a damaged file, and `OSError`.

    Only its owner can read it.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")  # what has left is overwritten with zeros
        db.execute("PRAGMA temp_store = MEMORY")  # no copy of a payload elsewhere on the disk
        (report,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if report != "ok":
            raise DamageError(report)
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise sqlite3.DatabaseError(f"a newer version of the software wrote it (format {version})")
        if version < _VERSION:
            transaction(db, _create if version == 0 else _from_older)
    except BaseException:
        db.close()
        raise
    return db, version == 0


def set_aside(path: Path, why: object) -> Salvage:
    """Moves the damaged file away, in the place of one that was set aside before, and reads of it what it can."""
    remove_copies(path)
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    db = sqlite3.connect(path, isolation_level=None)
    try:
        counters = _readable(db, "SELECT name, value FROM counter") or []
        alerts = _readable(db, "SELECT code FROM alert") or []
        ((telemetry,),) = _readable(db, "SELECT count(*) FROM outbox WHERE sequence IS NULL") or [(None,)]
    finally:
        db.close()
    for ending in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(f"{aside}{ending}")
    _log.error("outbox %s is damaged (%s): kept as %s, a new one is begun", path, why, aside.name)
    return Salvage(
        aside,
        {str(name): value for name, value in counters if isinstance(value, int) and value >= 0},
        [code for (code,) in alerts if isinstance(code, str)],
        telemetry,
    )


def remove_copies(path: Path) -> None:
    """Those that were set aside."""
    for copy in path.parent.glob(f"{path.name}.damaged-*"):
        copy.unlink()


def is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    damage = code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code == _SHORT_READ
    return damage or isinstance(error, DamageError)


def crc_of(topic: str, payload: bytes) -> int:
    """SQLite keeps no checksum of what is in its pages."""
    return zlib.crc32(payload, zlib.crc32(topic.encode()))


def transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        answer = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return answer


def _create(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID")
    db.execute("CREATE TABLE alert (code TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute(_OUTBOX)
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _from_older(db: sqlite3.Connection) -> None:
    """Format 1 had neither subject nor correlation, format 2 no checksums."""
    held = {name for _, name, *_ in db.execute("PRAGMA table_info(outbox)")}
    columns = ("id", "sequence", "topic", "CAST(payload AS BLOB)", "put_at", "subject", "correlation")
    asked = ", ".join(name if name in held or "(" in name else "NULL" for name in columns)
    rows = db.execute(f"SELECT {asked} FROM outbox").fetchall()  # noqa: S608 (constants)
    db.execute("DROP TABLE outbox")
    db.execute(_OUTBOX)
    for row, sequence, topic, payload, *others in rows:
        values = (row, sequence, topic, payload, crc_of(topic, payload), *others)
        db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _readable(db: sqlite3.Connection, query: str) -> list[tuple[Any, ...]] | None:
    try:
        return db.execute(query).fetchall()
    except sqlite3.Error:
        return None
