"""Where results are stored: one row an id, whatever comes twice, in SQLite or PostgreSQL, for any number of writers."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from messages import Message, PoisonError, Result, result_of

_SCHEMA = Path(__file__).with_name("schema.sql").read_text("utf-8")
_PUT = "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
_SET_ASIDE = "INSERT INTO set_aside VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING"
_HOLES = """
    SELECT box, before + 1, sequence - 1, received FROM (
        SELECT box, sequence, received, lag(sequence, 1, 0) OVER (PARTITION BY box ORDER BY sequence) AS before
        FROM result
    ) AS following WHERE sequence > before + 1 ORDER BY box, sequence"""


class StoreError(Exception):
    """The database cannot be reached or written now; nothing of the batch was stored."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch."""

    new: int
    copies: int
    set_aside: int


class Store(ABC):
    """A context manager: connected within it. Every method raises `StoreError`."""

    def put(self, messages: Sequence[Message]) -> Stored:
        """All of them in one transaction, on disk when it returns. What cannot be stored is set aside.

        In order of their ids, so that two consumers with copies of the same results never wait for each other.
        """
        good, poison = _sorted_out(messages)
        new = 0
        with self._transaction():
            for result, message in good:
                try:
                    with self._savepoint():
                        new += self._run(_PUT, astuple(result))
                except self._value_errors as error:  # e.g. PostgreSQL's text holds no NUL
                    poison.append((message, f"the database refuses it: {str(error).splitlines()[0]}"))
            for message, reason in poison:
                digest = sha256(message.topic.encode() + b"\n" + message.payload).hexdigest()
                self._run(_SET_ASIDE, (digest, message.received, message.topic, reason, message.payload))
        return Stored(new, len(messages) - len(poison) - new, len(poison))

    def report(self) -> dict[str, Any]:
        """Counts, and each box's missing sequence numbers with the time since when they are missing.

        A hole may be on its way still: after an outage a box sends what is new before what is old.
        """
        with self._transaction():
            ((results, boxes),) = self._rows("SELECT count(*), count(DISTINCT box) FROM result")
            ((counting,),) = self._rows("SELECT count(*) FROM counting_result")
            holes = self._rows(_HOLES)
            aside = self._rows("SELECT topic, reason, received FROM set_aside ORDER BY received")
        return {
            "results": results,
            "counting": counting,
            "boxes": boxes,
            "holes": [
                {"box": box, "first": first, "last": last, "since": str(since)} for box, first, last, since in holes
            ],
            "set_aside": [{"topic": topic, "reason": reason, "received": str(at)} for topic, reason, at in aside],
        }

    _value_errors: tuple[type[Exception], ...]

    @abstractmethod
    def __enter__(self) -> Store: ...

    @abstractmethod
    def __exit__(self, *_: object) -> None: ...

    @abstractmethod
    def _transaction(self) -> Any: ...

    @abstractmethod
    def _savepoint(self) -> Any: ...

    @abstractmethod
    def _run(self, statement: str, values: Sequence[object]) -> int:
        """Returns how many rows it changed."""

    @abstractmethod
    def _rows(self, query: str) -> list[tuple[Any, ...]]: ...


class SqliteStore(Store):
    """A file on a local disk, which several consumers on that machine may share."""

    _value_errors = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Store:
        try:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=30.0)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from None

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        yield  # a statement of SQLite's that fails has changed nothing

    def _run(self, statement: str, values: Sequence[object]) -> int:
        return self._db.execute(statement, [_plain(value) for value in values]).rowcount

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._db.execute(query).fetchall()


class PostgresStore(Store):
    """A database by its URL, `postgresql://user@host/name`; the password comes from ~/.pgpass, never from the URL."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise StoreError("PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from None
        self._psycopg, self._url = psycopg, url
        self._value_errors = (psycopg.DataError, psycopg.IntegrityError)

    def __enter__(self) -> Store:
        with self._told():
            self._db = self._psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            with self._db.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(7331)")  # consumers that start together create once
                self._db.execute(_SCHEMA.replace("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW").encode())
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._told(), self._db.transaction():
            yield

    def _savepoint(self) -> Any:
        return self._db.transaction()

    def _run(self, statement: str, values: Sequence[object]) -> int:
        return int(self._db.execute(statement.replace("?", "%s"), values).rowcount)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._db.execute(query).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {str(error).strip()}") from None


def store_at(place: str) -> Store:
    """A path of a SQLite file, or `postgresql://...`. Raises `StoreError`."""
    return PostgresStore(place) if place.startswith(("postgresql:", "postgres:")) else SqliteStore(Path(place))


def _sorted_out(messages: Sequence[Message]) -> tuple[list[tuple[Result, Message]], list[tuple[Message, str]]]:
    good: list[tuple[Result, Message]] = []
    poison: list[tuple[Message, str]] = []
    for message in messages:
        try:
            good.append((result_of(message), message))
        except PoisonError as error:
            poison.append((message, str(error)))
    return sorted(good, key=lambda pair: pair[0].id), poison


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
