"""What the hospital has not confirmed yet: on disk before anybody is told it is done, gone when the broker has it.

One SQLite file is the queue. Each result lies beside its session file as well, written before it is queued; from there
the queue is rebuilt. What is promised, in whole: docs/delivery.md.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from appliance.errors import OutboxError, RecordingError
from appliance.hospital import outbox_rows as rows
from appliance.hospital.outbox_file import Salvage, is_damage, open_file, remove_copies, set_aside, transaction
from appliance.hospital.outbox_rows import Counters, Outgoing, Queued
from appliance.hospital.result_files import ResultFiles

T = TypeVar("T")
LIMIT_BYTES = 256 << 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The queue was lost and begun anew. results: queued again. unreadable: results that could not be.

    telemetry: other messages that waited and are lost; None where nobody can tell how many.
    """

    why: str
    results: int
    unreadable: int
    telemetry: int | None


class Outbox:
    """Any thread may use it. Every method raises `OutboxError`, with the file and a remedy, where it cannot.

    A damaged file is set aside and a new one begun, at the start or in the middle of work, with all results that lie
    beside their session files; `rebuilt` then tells. The other counters go on where they can still be read.
    """

    def __init__(
        self, state: Path, messages: Callable[[bytes], Sequence[Outgoing]], limit_bytes: int = LIMIT_BYTES
    ) -> None:
        """messages: what goes out for a result, made of its payload. limit_bytes: of the queue on disk."""
        self.path = state / "outbox.sqlite"
        self.rebuilt: Rebuilt | None = None
        """The last time that it was, since this object was made."""
        self.generation = 0
        """Counts the times that it was."""
        self.last_id = 0
        """Of the newest message. Ids go on over a new file, for answers to what was sent before may still come."""
        self.on_put: Callable[[], None] = lambda: None
        """Called after each `put`, in the thread that put."""
        self._messages, self._limit_bytes = messages, limit_bytes
        self._lock = threading.Lock()
        self._confirmed: set[int] = set()
        self._db: sqlite3.Connection | None = None
        try:
            state.mkdir(parents=True, exist_ok=True)
            self._results = ResultFiles(state)
        except OSError as error:
            raise self._unusable(error) from None
        self._do(lambda db: None)

    def put(self, topic: str, payload: bytes, *, subject: str | None = None, correlation: bytes | None = None) -> None:
        """On disk when it returns, or counted as dropped where results leave it no room. subject: whose data it holds.

        correlation: of the request it answers.
        """

        def work(db: sqlite3.Connection) -> None:
            if rows.make_room(db, len(payload) + rows.ROW_BYTES, self._limit_bytes):
                self._insert(db, Outgoing(topic, payload, subject, correlation), None)
            else:
                rows.count_dropped(db, topic)

        self._do(work)
        self.on_put()

    def put_result(self, session: str, place: str, make: Callable[[int], bytes]) -> int:
        """Stores `make(sequence)` under the box's next sequence number and returns that number.

        session, place: whose result it is; the same again changes nothing and returns its number. It is beside its
        session file first and then in the queue, so that a failure in between, or of `make`, leaves no hole.
        """

        def work(db: sqlite3.Connection) -> int:
            self._adopt(db)  # what a failed attempt left
            kept = self._results.at(session, place)
            if kept is None:
                sequence = max(self._results.last, rows.value(db, "sequence")) + 1
                kept = self._results.keep(session, place, sequence, make(sequence))
            self._adopt(db)
            return kept.sequence

        sequence = self._do(work)
        self.on_put()
        return sequence

    def take_in_all(self) -> None:
        """Queues the results that found the queue full, beyond its limit: the files beside their sessions may go."""
        self._do(lambda db: self._adopt(db, sys.maxsize))

    def results_of(self, session: str) -> dict[int, int]:
        """Sequence number by index of the exercise, of the results that a session has on disk."""
        found = self._do(lambda db: self._results.of_session(session))
        return {file.index: file.sequence for file in found if file.index is not None}

    def result(self, result_id: UUID) -> tuple[str, str, bytes] | None:
        """Session, place and payload of a result that is still on disk, delivered or not."""
        found = self._do(lambda db: self._results.named(result_id))
        return (found[0].path.parent.name, found[0].place, found[1]) if found is not None else None

    def pending(self, after: int = 0, limit: int = 100, until: int | None = None) -> list[Queued]:
        """The first `limit` messages with an id above `after`, up to `until`, oldest first."""
        return self._do(lambda db: rows.pending(db, after, self.last_id if until is None else until, limit))

    def begin_connection(self) -> None:
        """What was confirmed and has not left waits again."""
        with self._lock:
            self._confirmed.clear()

    def confirmed(self, queued_id: int) -> None:
        """The broker has it. It does not count as waiting, and leaves by `delivered`."""
        with self._lock:
            self._confirmed.add(queued_id)

    def delivered(self, *queued_ids: int) -> None:
        """They leave. A second call for the same message changes nothing."""

        def work(db: sqlite3.Connection) -> None:
            left = sum(rows.delete(db, queued_id) for queued_id in queued_ids)
            rows.count(db, "delivered", left)
            self._adopt(db)  # what found the queue full

        self._do(work)
        with self._lock:
            self._confirmed.difference_update(queued_ids)

    def refused(self) -> None:
        """A broker did not take a message; it stays."""
        self._do(lambda db: rows.count(db, "refused"))

    def counters(self) -> Counters:
        def work(db: sqlite3.Connection) -> Counters:
            found = rows.counters(db, self._confirmed)
            waiting = self._results.last - rows.value(db, "sequence")
            return replace(found, queued=found.queued + max(waiting, 0))

        return self._do(work)

    def unsent_of(self, subject: str) -> int:
        """How many messages with that subject's data wait."""
        return self._do(lambda db: self._unsent_of(db, subject))

    def erase(self, subject: str, *, unsent: bool = True) -> list[bytes] | None:
        """Takes that subject's messages out and returns their payloads, for their digests.

        unsent: also what waits; without it, where anything does, nothing is taken out and None returned.

        Results lie beside their session files as well: erase those first, or they are put back when the queue is lost.
        """
        query = "DELETE FROM outbox WHERE subject = ? RETURNING payload"

        def work(db: sqlite3.Connection) -> list[bytes] | None:
            if not unsent and self._unsent_of(db, subject):
                return None
            return [payload for (payload,) in db.execute(query, (subject,)).fetchall()]

        return self._do(work)

    def _unsent_of(self, db: sqlite3.Connection, subject: str) -> int:
        query = "SELECT id FROM outbox WHERE subject = ?"
        return sum(row not in self._confirmed for (row,) in db.execute(query, (subject,)))

    def scrub(self) -> None:
        """Writes the file anew, so that nothing of what has left it can be read from its bytes, its log's or a copy's.

        Numbers go on.
        """
        with self._lock:
            try:
                remove_copies(self.path)
                db = self._opened()
                db.execute("VACUUM")
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except (sqlite3.Error, OSError, RecordingError) as error:
                raise self._unusable(error) from None

    def next_connection(self) -> int:
        """Counts the box's attempts to connect over its life, from 1."""
        return self._do(lambda db: rows.count(db, "connection"))

    def alert_codes(self) -> list[str]:
        """Codes whose retained alert may still lie at the broker, from this run or an earlier one."""
        return [code for (code,) in self._do(lambda db: db.execute("SELECT code FROM alert").fetchall())]

    def note_alert(self, code: str) -> None:
        self._do(lambda db: db.execute("INSERT OR IGNORE INTO alert VALUES (?)", (code,)))

    def forget_alert(self, code: str) -> None:
        self._do(lambda db: db.execute("DELETE FROM alert WHERE code = ?", (code,)))

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()

    def _insert(self, db: sqlite3.Connection, message: Outgoing, sequence: int | None) -> None:
        self.last_id += 1
        rows.insert(db, self.last_id, message, sequence)

    def _adopt(self, db: sqlite3.Connection, limit_bytes: int | None = None) -> tuple[int, int]:
        """Queues the results beside their session files that were not queued yet; how many, how many are unreadable.

        They were written just now, or before a kill or a loss of the queue, or found the queue full.
        """
        if rows.value(db, "sequence") >= self._results.last:
            return 0, 0
        adopted = unreadable = 0
        for file in self._results.above(rows.value(db, "sequence")):
            messages = self._messages_of(file.path, file.read())
            size = sum(len(message.payload) + rows.ROW_BYTES for message in messages)
            if not rows.make_room(db, size, limit_bytes or self._limit_bytes):
                return adopted, unreadable
            for message in messages:
                self._insert(db, message, file.sequence)
            if messages:
                adopted += 1
            else:
                unreadable += 1
                rows.count(db, "dropped.result")
            rows.set_value(db, "sequence", file.sequence)
        rows.set_value(db, "sequence", self._results.last)
        return adopted, unreadable

    def _messages_of(self, path: Path, payload: bytes | None) -> Sequence[Outgoing]:
        """None where the file is damaged; the box works on without that result."""
        try:
            if payload is not None:
                return self._messages(payload)
        except Exception:  # noqa: BLE001  whatever is in the file, the box must start
            _log.exception("%s is no result", path)
        _log.error("%s cannot be read: that result is lost", path)
        return ()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` as one transaction; on a damaged file once more on a new one."""
        with self._lock:
            try:
                try:
                    return transaction(self._opened(), work)
                except sqlite3.DatabaseError as error:
                    if not is_damage(error):
                        raise
                    return transaction(self._begun_anew(error), work)
            except (sqlite3.Error, OSError, RecordingError) as error:
                raise self._unusable(error) from None

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            self._db, new = open_file(self.path)
            self.last_id = max(self.last_id, rows.last_id(self._db))
            if new and self._results.last:
                self._fill(self._db, "it was missing", None)
            transaction(self._db, self._adopt)
        return self._db

    def _begun_anew(self, why: Exception) -> sqlite3.Connection:
        if self._db is not None:
            self._db.close()
            self._db = None
        salvage = set_aside(self.path, why)
        self._db, _ = open_file(self.path)
        self._fill(self._db, f"it was damaged and is kept as {salvage.aside.name}", salvage)
        return self._db

    def _fill(self, db: sqlite3.Connection, why: str, salvage: Salvage | None) -> None:
        """The counters and alerts that could be read, and every result there is: which of them arrived is not known."""

        def work(db: sqlite3.Connection) -> tuple[int, int]:
            for name, number in salvage.counters.items() if salvage is not None else ():
                if name != "sequence" or not self._results.last:
                    rows.set_value(db, name, number)
            for code in salvage.alerts if salvage is not None else ():
                db.execute("INSERT OR IGNORE INTO alert VALUES (?)", (code,))
            adopted, unreadable = self._adopt(db)
            rows.count(db, "rebuilt", adopted)
            return adopted, unreadable

        adopted, unreadable = transaction(db, work)
        _log.error("outbox %s: %s; %d results are queued again", self.path, why, adopted)
        self.rebuilt = Rebuilt(why, adopted, unreadable, salvage.telemetry if salvage else None)
        self.generation += 1

    def _unusable(self, error: Exception) -> OutboxError:
        return OutboxError(f"outbox {self.path}: {error}; see that its disk has space and its folder can be written")
