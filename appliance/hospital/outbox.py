"""What the hospital has not confirmed yet: on disk before anybody is told it is done, gone when the broker has it.

One SQLite file. `synchronous=FULL` in WAL mode makes a commit survive a power cut (sqlite.org/pragma.html).
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar

from appliance.errors import OutboxError

T = TypeVar("T")
Counter = Literal["sequence", "connection", "delivered"]

_log = logging.getLogger(__name__)

_VERSION = 2
_TABLES = """
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sequence INTEGER UNIQUE,
        topic TEXT NOT NULL,
        payload BLOB NOT NULL,
        put_at TEXT NOT NULL,
        subject TEXT,
        correlation BLOB
    );
    CREATE TABLE alert (code TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits. `id` is the outbox's own, in order of arrival. correlation: of the request it answers."""

    id: int
    topic: str
    payload: bytes
    put_at: datetime
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """queued: messages that wait; oldest: when the first of them came; delivered: over the outbox's life."""

    queued: int
    oldest: datetime | None
    delivered: int


class Outbox:
    """Any thread may use it. Every method raises `OutboxError`, with the file and a remedy, where it cannot.

    A damaged file is moved aside and a new one begun, at the start or in the middle of work; `damaged` then names
    the old one. The counters are carried over where they can still be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged: Path | None = None
        self.on_put: Callable[[], None] = lambda: None
        """Called after each `put`, in the thread that put."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._open()
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from None

    def put(self, topic: str, payload: bytes, *, subject: str | None = None, correlation: bytes | None = None) -> None:
        """On disk when it returns. subject: whose data it holds."""
        self._do(lambda db: self._insert(db, None, topic, payload, subject, correlation))
        self.on_put()

    def put_result(self, topic: str, make: Callable[[int], bytes], *, subject: str | None = None) -> int:
        """Stores `make(sequence)` under the box's next sequence number and returns that number.

        Number and payload are committed together, so a failure, of `make` too, leaves no hole.
        """

        def work(db: sqlite3.Connection) -> int:
            sequence = _next(db, "sequence")
            self._insert(db, sequence, topic, make(sequence), subject)
            return sequence

        sequence = self._do(work)
        self.on_put()
        return sequence

    def pending(self, after: int = 0, limit: int = 100) -> list[Queued]:
        """The first `limit` messages with an id above `after`, oldest first."""
        query = "SELECT id, topic, payload, put_at, correlation FROM outbox WHERE id > ? ORDER BY id LIMIT ?"
        rows = self._do(lambda db: db.execute(query, (after, limit)).fetchall())
        return [Queued(row, topic, data, datetime.fromisoformat(at), asked) for row, topic, data, at, asked in rows]

    def delivered(self, queued_id: int) -> None:
        """The broker has it: it leaves. A second call for the same message changes nothing."""

        def work(db: sqlite3.Connection) -> None:
            if db.execute("DELETE FROM outbox WHERE id = ?", (queued_id,)).rowcount:
                _next(db, "delivered")

        self._do(work)

    def counters(self) -> Counters:
        def work(db: sqlite3.Connection) -> Counters:
            queued, oldest = db.execute("SELECT count(*), min(put_at) FROM outbox").fetchone()
            return Counters(queued, datetime.fromisoformat(oldest) if oldest else None, _value(db, "delivered"))

        return self._do(work)

    def unsent_of(self, subject: str) -> int:
        """How many messages with that subject's data wait."""
        query = "SELECT count(*) FROM outbox WHERE subject = ?"
        return self._do(lambda db: int(db.execute(query, (subject,)).fetchone()[0]))

    def erase(self, subject: str) -> list[bytes]:
        """Takes that subject's messages out, sent or not, and returns their payloads, for their digests."""
        query = "DELETE FROM outbox WHERE subject = ? RETURNING payload"
        return [payload for (payload,) in self._do(lambda db: db.execute(query, (subject,)).fetchall())]

    def scrub(self) -> None:
        """Writes the file anew, so that nothing of what has left it can be read from its bytes or its log's."""
        with self._lock:
            try:
                self._db.execute("VACUUM")
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except (sqlite3.Error, OSError) as error:
                raise self._unusable(error) from None

    def next_connection(self) -> int:
        """Counts the box's attempts to connect over its life, from 1."""
        return self._do(lambda db: _next(db, "connection"))

    def alert_codes(self) -> list[str]:
        """Codes whose retained alert may still lie at the broker, from this run or an earlier one."""
        return [code for (code,) in self._do(lambda db: db.execute("SELECT code FROM alert").fetchall())]

    def note_alert(self, code: str) -> None:
        self._do(lambda db: db.execute("INSERT OR IGNORE INTO alert VALUES (?)", (code,)))

    def forget_alert(self, code: str) -> None:
        self._do(lambda db: db.execute("DELETE FROM alert WHERE code = ?", (code,)))

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @staticmethod
    def _insert(
        db: sqlite3.Connection,
        sequence: int | None,
        topic: str,
        payload: bytes,
        subject: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        row = (sequence, topic, payload, datetime.now(UTC).isoformat(), subject, correlation)
        columns = "sequence, topic, payload, put_at, subject, correlation"
        db.execute(f"INSERT INTO outbox ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608 (a constant)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` as one transaction; on a damaged file once more on a new one."""
        with self._lock:
            try:
                try:
                    return _transaction(self._db, work)
                except sqlite3.DatabaseError as error:
                    if not _is_damage(error):
                        raise
                    self._db = self._begin_anew(self._db, error)
                    return _transaction(self._db, work)
            except (sqlite3.Error, OSError) as error:
                raise self._unusable(error) from None

    def _open(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")  # what has left is overwritten with zeros
            db.execute("PRAGMA temp_store = MEMORY")  # no copy of a payload elsewhere on the disk
            (report,) = db.execute("PRAGMA quick_check(1)").fetchone()
            if report != "ok":
                return self._begin_anew(db, report)
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise sqlite3.DatabaseError(f"a newer version of the software wrote it (format {version})")
            if version == 0:
                _transaction(db, _create)
            elif version < _VERSION:
                _transaction(db, _upgrade)
        except sqlite3.DatabaseError as error:
            if _is_damage(error):
                return self._begin_anew(db, error)
            db.close()
            raise
        return db

    def _begin_anew(self, db: sqlite3.Connection, why: object) -> sqlite3.Connection:
        counters = _readable_counters(db)
        db.close()
        aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{ending}").rename(f"{aside}{ending}")
        _log.error("outbox %s is damaged (%s): kept as %s, a new one is begun", self.path, why, aside.name)
        self.damaged = aside
        new = self._open()
        new.executemany("INSERT INTO counter VALUES (?, ?)", counters)
        return new

    def _unusable(self, error: Exception) -> OutboxError:
        return OutboxError(f"outbox {self.path}: {error}; see that its disk has space and its folder can be written")


def _create(db: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _upgrade(db: sqlite3.Connection) -> None:
    """From format 1, which did not know whose data a message holds."""
    db.execute("ALTER TABLE outbox ADD COLUMN subject TEXT")
    db.execute("ALTER TABLE outbox ADD COLUMN correlation BLOB")
    db.execute(f"PRAGMA user_version = {_VERSION}")


def _transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        answer = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return answer


def _next(db: sqlite3.Connection, counter: Counter) -> int:
    query = "INSERT INTO counter VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
    (value,) = db.execute(query, (counter,)).fetchone()
    return int(value)


def _value(db: sqlite3.Connection, counter: Counter) -> int:
    row = db.execute("SELECT value FROM counter WHERE name = ?", (counter,)).fetchone()
    return int(row[0]) if row else 0


def _is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def _readable_counters(db: sqlite3.Connection) -> list[tuple[str, int]]:
    try:
        return db.execute("SELECT name, value FROM counter").fetchall()
    except sqlite3.Error:
        return []
