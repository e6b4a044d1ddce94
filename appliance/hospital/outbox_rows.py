"""The outbox's rows: each function is a step of a transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime

from appliance.hospital.outbox_file import DamageError, crc_of
from appliance.messages.topics import address_of

ROW_BYTES = 4 << 10
"""Most that one message's row takes beside its payload: the last page is not full."""
_DROPPED = "dropped."


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits. `id` is the outbox's own, in order of arrival. sequence: of the result it tells, if any.

    correlation: of the request it answers.
    """

    id: int
    topic: str
    payload: bytes
    put_at: datetime
    sequence: int | None
    correlation: bytes | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """queued: messages that wait; oldest: when the first of them came. All others are over the outbox's life.

    refused: answers of brokers that they did not take a message. dropped: lost for good, by kind of topic.
    rebuilt: results queued again from beside their session files.
    """

    queued: int
    oldest: datetime | None
    delivered: int
    refused: int = 0
    rebuilt: int = 0
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be put. subject: whose data it holds. correlation: of the request it answers."""

    topic: str
    payload: bytes
    subject: str | None = None
    correlation: bytes | None = None


def insert(db: sqlite3.Connection, new_id: int, message: Outgoing, sequence: int | None) -> None:
    crc, now = crc_of(message.topic, message.payload), datetime.now(UTC).isoformat()
    row = (new_id, sequence, message.topic, message.payload, crc, now, message.subject, message.correlation)
    columns = "id, sequence, topic, payload, crc, put_at, subject, correlation"
    db.execute(f"INSERT INTO outbox ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608 (a constant)


def pending(db: sqlite3.Connection, after: int, until: int, limit: int) -> list[Queued]:
    """In order of id. Raises `DamageError` where one is not what was put."""
    query = "SELECT crc, id, topic, payload, put_at, sequence, correlation FROM outbox WHERE id > ? AND id <= ? "
    rows = db.execute(query + "ORDER BY id LIMIT ?", (after, until, limit)).fetchall()
    try:
        spoilt = [row for crc, row, topic, payload, *_ in rows if crc_of(topic, payload) != crc]
        found = [
            Queued(row, topic, payload, datetime.fromisoformat(put_at), sequence, correlation)
            for _, row, topic, payload, put_at, sequence, correlation in rows
        ]
    except (TypeError, ValueError, AttributeError) as error:
        raise DamageError(f"a message is not what was written: {error}") from None
    if spoilt:
        raise DamageError(f"message {spoilt[0]} is not what was written")
    return found


def delete(db: sqlite3.Connection, queued_id: int) -> bool:
    """Whether it was there."""
    return db.execute("DELETE FROM outbox WHERE id = ?", (queued_id,)).rowcount > 0


def make_room(db: sqlite3.Connection, size: int, limit: int) -> bool:
    """Drops telemetry, the oldest first, until `size` bytes fit; False if they never can, or results leave no room."""
    if size > limit:
        return False
    while _used_bytes(db) + size > limit:
        query = "SELECT id, topic FROM outbox WHERE sequence IS NULL ORDER BY id LIMIT 1"
        oldest = db.execute(query).fetchone()
        if oldest is None:
            return False
        delete(db, oldest[0])
        count_dropped(db, oldest[1])
    return True


def counters(db: sqlite3.Connection, confirmed: set[int]) -> Counters:
    """confirmed: ids of messages that do not wait any more, and have not left."""
    waiting = [put_at for row, put_at in db.execute("SELECT id, put_at FROM outbox") if row not in confirmed]
    kept = db.execute("SELECT count(*) FROM outbox").fetchone()[0] - len(waiting)
    values = dict(db.execute("SELECT name, value FROM counter").fetchall())
    try:
        since = datetime.fromisoformat(min(waiting)) if waiting else None
    except (TypeError, ValueError) as error:
        raise DamageError(f"a message is not what was written: {error}") from None
    return Counters(
        queued=len(waiting),
        oldest=since,
        delivered=values.get("delivered", 0) + kept,
        refused=values.get("refused", 0),
        rebuilt=values.get("rebuilt", 0),
        dropped={name.removeprefix(_DROPPED): values[name] for name in sorted(values) if name.startswith(_DROPPED)},
    )


def last_id(db: sqlite3.Connection) -> int:
    """Of the newest message that waits; 0 without any."""
    return int(db.execute("SELECT coalesce(max(id), 0) FROM outbox").fetchone()[0])


def count(db: sqlite3.Connection, name: str, more: int = 1) -> int:
    """The new value."""
    query = "INSERT INTO counter VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + ?2 RETURNING value"
    (new,) = db.execute(query, (name, more)).fetchone()
    return int(new)


def count_dropped(db: sqlite3.Connection, topic: str) -> None:
    """By the kind of its topic."""
    address = address_of(topic)
    count(db, _DROPPED + (address.kind if address is not None else "other"))


def value(db: sqlite3.Connection, name: str) -> int:
    row = db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def set_value(db: sqlite3.Connection, name: str, to: int) -> None:
    db.execute("INSERT INTO counter VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (name, to))


def _used_bytes(db: sqlite3.Connection) -> int:
    """Of the pages that hold something, in this transaction."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in names)
    return (pages - free) * size
