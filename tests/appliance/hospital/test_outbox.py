import contextlib
import logging
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.errors import OutboxError
from appliance.hospital.outbox import Outbox

WRITER = """
import sys
from pathlib import Path
from appliance.hospital.outbox import Outbox

outbox = Outbox(Path(sys.argv[1]))
while True:
    print(outbox.put_result("r", lambda number: str(number).encode() * 200), flush=True)
"""

FILLER = """
import sys
from pathlib import Path
from appliance.errors import OutboxError
from appliance.hospital.outbox import Outbox

outbox = Outbox(Path(sys.argv[1]))
kept = 0
try:
    while True:
        kept = outbox.put_result("r", lambda number: bytes(10_000))
except OutboxError as error:
    print(kept, error)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


def put(outbox: Outbox, number: int) -> list[int]:
    return [outbox.put_result("r", lambda sequence: str(sequence).encode()) for _ in range(number)]


def sequences(outbox: Outbox) -> list[int]:
    return [int(queued.payload) for queued in outbox.pending()]


def test_what_was_put_waits_in_order_until_it_is_delivered(path: Path) -> None:
    outbox = Outbox(path)
    outbox.put("a", b"1")
    put(outbox, 1)
    outbox.put("b", b"\x00\xff")
    first, second, third = outbox.pending()
    assert [(queued.topic, queued.payload) for queued in (first, second, third)] == [
        ("a", b"1"), ("r", b"1"), ("b", b"\x00\xff"),
    ]  # fmt: skip
    assert outbox.pending(after=first.id, limit=1) == [second]
    outbox.delivered(second.id)
    outbox.delivered(second.id)
    assert outbox.pending() == [first, third]
    counters = outbox.counters()
    assert (counters.queued, counters.oldest, counters.delivered) == (2, first.put_at, 1)


def test_numbers_go_on_without_a_hole_over_restarts_deliveries_and_failures(path: Path) -> None:
    def fails(sequence: int) -> bytes:
        raise ValueError("cannot be made")

    outbox = Outbox(path)
    assert put(outbox, 2) == [1, 2]
    with pytest.raises(ValueError, match="cannot be made"):
        outbox.put_result("r", fails)
    for queued in outbox.pending():
        outbox.delivered(queued.id)
    outbox.close()

    outbox = Outbox(path)
    assert put(outbox, 2) == [3, 4]
    assert outbox.next_connection() == 1
    outbox.close()
    assert Outbox(path).next_connection() == 2


def test_threads_get_different_numbers(path: Path) -> None:
    outbox = Outbox(path)
    threads = [threading.Thread(target=put, args=(outbox, 25)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sequences(outbox)) == list(range(1, 101))


def test_a_killed_box_has_kept_everything_it_announced(path: Path) -> None:
    announced = []
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            announced.append(int(line))
            if len(announced) == 20:
                os.kill(writer.pid, signal.SIGKILL)
    outbox = Outbox(path)
    kept = [queued.payload for queued in outbox.pending()]
    assert kept[: len(announced)] == [str(number).encode() * 200 for number in announced]
    assert put(outbox, 1) == [len(kept) + 1]


def test_every_commit_waits_for_the_disk(path: Path) -> None:
    outbox = Outbox(path)
    full, wal = 2, "wal"
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (full,)
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == (wal,)


def test_only_its_owner_can_read_it(path: Path) -> None:
    put(Outbox(path), 1)
    assert {file.stat().st_mode & 0o077 for file in path.parent.iterdir()} == {0}


@pytest.mark.parametrize("content", [b"not a database " * 500, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_moved_aside(
    path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        outbox = Outbox(path)
    assert outbox.damaged is not None
    assert outbox.damaged.read_bytes() == content
    assert [str(path) in record.getMessage() for record in caplog.records] == [True]
    assert put(outbox, 1) == [1]
    outbox.close()
    assert Outbox(path).damaged is None


def overwrite_rows(path: Path) -> None:
    """Ruins the page of the waiting messages, as a worn flash block would; the counters' page stays."""
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'outbox'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_numbers_go_on_after_damage_where_the_counters_can_be_read(path: Path) -> None:
    outbox = Outbox(path)
    put(outbox, 3)
    outbox.close()
    overwrite_rows(path)
    outbox = Outbox(path)
    assert outbox.damaged is not None
    assert put(outbox, 1) == [4]


def test_damage_in_the_middle_of_work_does_not_lose_the_result_at_hand(path: Path) -> None:
    outbox = Outbox(path)
    put(outbox, 3)
    overwrite_rows(path)
    outbox._db.execute("PRAGMA shrink_memory")
    assert put(outbox, 1) == [4]
    assert outbox.damaged is not None
    assert sequences(outbox) == [4]


def test_a_full_disk_is_told_to_the_one_who_puts(path: Path) -> None:
    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [sys.executable, "-c", FILLER, str(path)]
    done = subprocess.run(command, preexec_fn=small_disk, capture_output=True, text=True, timeout=120, check=True)
    kept, message = done.stdout.split(maxsplit=1)
    assert message.startswith(f"outbox {path}: ")
    assert "space" in message
    assert int(kept) > 0
    outbox = Outbox(path)
    assert outbox.damaged is None
    assert outbox.counters().queued == int(kept)
    assert put(outbox, 1) == [int(kept) + 1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match=r"file/outbox\.db"):
        Outbox(tmp_path / "file" / "outbox.db")


def test_a_newer_versions_file_is_left_alone(path: Path) -> None:
    Outbox(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxError, match="newer version"):
        Outbox(path)
    assert [file.name for file in path.parent.glob("*damaged*")] == []


def test_what_has_left_the_outbox_cannot_be_read_from_its_bytes(outbox: Outbox) -> None:
    for number in range(40):
        outbox.put("rehabbox/1/demo/box-1/session/one", b"gone-%03d" % number + b"x" * 3000, subject="p-1")
    outbox.put("rehabbox/1/demo/box-1/session/two", b"stays", subject="p-2")
    for queued in outbox.pending(limit=39):
        outbox.delivered(queued.id)
    assert outbox.unsent_of("p-1") == 1
    assert [payload[:8] for payload in outbox.erase("p-1")] == [b"gone-039"]
    outbox.scrub()
    held = b"".join(file.read_bytes() for file in outbox.path.parent.glob("outbox.db*"))
    assert b"gone-" not in held
    assert b"stays" in held
    assert [queued.payload for queued in outbox.pending()] == [b"stays"]


def test_an_outbox_of_the_format_before_goes_on_with_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(
            "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, sequence INTEGER UNIQUE, topic TEXT NOT NULL,"
            " payload BLOB NOT NULL, put_at TEXT NOT NULL);"
            "CREATE TABLE alert (code TEXT PRIMARY KEY) WITHOUT ROWID;"
            "INSERT INTO outbox VALUES (7, 3, 'a/b', 'kept', '2026-01-01T00:00:00+00:00'); PRAGMA user_version = 1"
        )
    box = Outbox(path)
    assert [(queued.id, bytes(queued.payload, "ascii")) for queued in box.pending()] == [(7, b"kept")]
    box.put("a/b", b"new", correlation=b"\0\1")
    assert box.pending(after=7)[0].correlation == b"\0\1"
    box.close()
