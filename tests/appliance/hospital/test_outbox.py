import contextlib
import json
import logging
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from appliance.errors import OutboxError
from appliance.hospital.outbox import LIMIT_BYTES, Outbox
from appliance.hospital.outbox_rows import Outgoing, Queued

WRITER = """
import sys
from pathlib import Path
from uuid import uuid4
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing

outbox = Outbox(Path(sys.argv[1]), lambda payload: [Outgoing("r", payload)])
while True:
    payload = '{"sequence": %d, "filling": "' + "x" * 200 + '"}'
    print(outbox.put_result(str(uuid4()), "00_squat", lambda number: (payload % number).encode()), flush=True)
"""

FILLER = """
import sys
from pathlib import Path
from uuid import uuid4
from appliance.errors import OutboxError
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing

outbox = Outbox(Path(sys.argv[1]), lambda payload: [Outgoing("r", payload)])
kept = 0
try:
    while True:
        payload = '{"sequence": %d, "filling": "' + "x" * 10_000 + '"}'
        kept = outbox.put_result(str(uuid4()), "00_squat", lambda number: (payload % number).encode())
except OutboxError as error:
    print(kept, error)
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(state: Path, limit_bytes: int = LIMIT_BYTES) -> Outbox:
    return Outbox(state, lambda payload: [Outgoing("r", payload)], limit_bytes)


def payload(sequence: int, size: int = 0) -> bytes:
    return json.dumps({"sequence": sequence, "filling": "x" * size}).encode()


def put(outbox: Outbox, number: int, size: int = 0) -> list[int]:
    return [
        outbox.put_result(str(uuid4()), "00_squat", lambda sequence: payload(sequence, size)) for _ in range(number)
    ]


def sequences(outbox: Outbox) -> list[int | None]:
    return [queued.sequence for queued in outbox.pending(limit=1000)]


def contents(outbox: Outbox) -> list[tuple[str, bytes]]:
    return [(queued.topic, queued.payload) for queued in outbox.pending()]


def test_what_was_put_waits_in_order_until_it_is_delivered(state: Path) -> None:
    outbox = opened(state)
    outbox.put("a", b"1")
    put(outbox, 1)
    outbox.put("b", b"\x00\xff")
    assert contents(outbox) == [("a", b"1"), ("r", payload(1)), ("b", b"\x00\xff")]
    first, second, third = outbox.pending()
    assert outbox.pending(after=first.id, limit=1) == outbox.pending(after=first.id, until=second.id) == [second]
    outbox.delivered(second.id)
    outbox.delivered(second.id)
    assert outbox.pending() == [first, third]
    counters = outbox.counters()
    assert (counters.queued, counters.oldest, counters.delivered) == (2, first.put_at, 1)


def test_numbers_go_on_without_a_hole_over_restarts_deliveries_and_failures(state: Path) -> None:
    def fails(sequence: int) -> bytes:
        raise ValueError("cannot be made")

    outbox = opened(state)
    assert put(outbox, 2) == [1, 2]
    with pytest.raises(ValueError, match="cannot be made"):
        outbox.put_result("session", "00_squat", fails)
    for queued in outbox.pending():
        outbox.delivered(queued.id)
    outbox.close()

    outbox = opened(state)
    assert put(outbox, 2) == [3, 4]
    assert outbox.next_connection() == 1
    outbox.close()
    assert opened(state).next_connection() == 2


def test_the_same_set_has_one_result_however_often_it_is_put(state: Path) -> None:
    outbox = opened(state)
    assert [outbox.put_result("session", "01_squat", payload) for _ in range(2)] == [1, 1]
    assert outbox.results_of("session") == {1: 1}
    assert sequences(outbox) == [1]


def test_threads_get_different_numbers(state: Path) -> None:
    outbox = opened(state)
    threads = [threading.Thread(target=put, args=(outbox, 25)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sequences(outbox) == list(range(1, 101))


def test_a_killed_box_has_kept_everything_it_announced(state: Path) -> None:
    announced = []
    with subprocess.Popen([sys.executable, "-c", WRITER, state], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            announced.append(int(line))
            if len(announced) == 20:
                os.kill(writer.pid, signal.SIGKILL)
    outbox = opened(state)
    kept = sequences(outbox)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= len(announced)
    assert put(outbox, 1) == [len(kept) + 1]


def test_every_commit_waits_for_the_disk(state: Path) -> None:
    outbox = opened(state)
    full, wal = 2, "wal"
    assert outbox._opened().execute("PRAGMA synchronous").fetchone() == (full,)
    assert outbox._opened().execute("PRAGMA journal_mode").fetchone() == (wal,)


def test_only_its_owner_can_read_it(state: Path) -> None:
    put(opened(state), 1)
    assert {file.stat().st_mode & 0o077 for file in state.glob("outbox*")} == {0}


def damaged_by(state: Path, damage: Callable[[Path], object]) -> Outbox:
    """An outbox with results 1 (delivered), 2 and 3, and a message that is none, after `damage` to its file."""
    outbox = opened(state)
    put(outbox, 3)
    outbox.delivered(outbox.pending()[0].id)
    outbox.put("rehabbox/1/site/box/session/1", b"telemetry")
    outbox.note_alert("camera_lost")
    outbox.close()
    damage(outbox.path)
    return opened(state)


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


DAMAGE: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"not a database " * 500),
    "zeros": lambda path: path.write_bytes(b"\x00" * 4096),
    "cut short": lambda path: os.truncate(path, path.stat().st_size // 2),
    "overwritten": overwrite_rows,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_lost_queue_is_rebuilt_from_the_results_beside_the_session_files(
    state: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        outbox = damaged_by(state, DAMAGE[damage])
    assert contents(outbox) == [("r", payload(number)) for number in (1, 2, 3)], "the same, for receivers drop copies"
    assert outbox.rebuilt is not None
    assert (outbox.rebuilt.results, outbox.rebuilt.unreadable) == (3, 0)
    assert outbox.counters().rebuilt == 3
    assert any(str(outbox.path) in record.getMessage() for record in caplog.records)
    assert put(outbox, 1) == [4], "no hole, no number twice"
    outbox.close()
    assert opened(state).rebuilt is None


def test_what_can_be_read_of_a_damaged_queue_is_carried_over_and_what_is_lost_is_counted(state: Path) -> None:
    outbox = damaged_by(state, overwrite_rows)
    assert outbox.counters().delivered == 1
    assert outbox.alert_codes() == ["camera_lost"]
    assert outbox.rebuilt is not None
    assert outbox.rebuilt.telemetry is None, "its page is gone"
    (copy,) = state.glob("*.damaged-*[0-9]")
    outbox.close()
    overwrite_rows(outbox.path)
    opened(state).close()
    assert not copy.exists(), "only the last copy is kept: it holds patients' data"


def test_damage_in_the_middle_of_work_does_not_lose_the_result_at_hand(state: Path) -> None:
    outbox = opened(state)
    put(outbox, 3)
    last = outbox.last_id
    overwrite_rows(outbox.path)
    outbox._opened().execute("PRAGMA shrink_memory")
    assert put(outbox, 1) == [4]
    assert outbox.rebuilt is not None
    assert sequences(outbox) == [1, 2, 3, 4]
    assert all(queued.id > last for queued in outbox.pending()), "an answer to an old message must not take a new one"


def test_a_payload_that_changed_on_the_disk_is_not_sent(state: Path) -> None:
    outbox = opened(state)
    put(outbox, 2)
    outbox.close()
    content = outbox.path.read_bytes()
    assert content.count(b'{"sequence": 2') == 1
    outbox.path.write_bytes(content.replace(b'{"sequence": 2', b'{"sequence": 7'))
    outbox = opened(state)
    assert outbox.rebuilt is None, "SQLite sees nothing wrong"
    assert contents(outbox) == [("r", payload(1)), ("r", payload(2))]
    assert outbox.rebuilt is not None


def test_a_result_that_a_kill_kept_from_the_queue_is_put_there_at_the_next_start(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = opened(state)
    put(outbox, 1)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt  # what SIGINT is, also where the tests run in the background, which ignores the signal

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "_insert", killed)
        with pytest.raises(KeyboardInterrupt):
            outbox.put_result("session", "02_squat", payload)
    outbox.close()
    outbox = opened(state)
    assert outbox.rebuilt is None
    assert sequences(outbox) == [1, 2]
    assert outbox.results_of("session") == {2: 2}
    assert put(outbox, 1) == [3]


def test_a_result_file_that_cannot_be_read_is_a_counted_loss(state: Path) -> None:
    def damage(path: Path) -> None:
        path.unlink()
        (second,) = state.glob("sessions/*/*.result-2.json")
        second.write_bytes(payload(2)[:-4])

    outbox = damaged_by(state, damage)
    assert sequences(outbox) == [1, 3]
    assert outbox.rebuilt is not None
    assert outbox.rebuilt.unreadable == 1
    assert outbox.counters().dropped == {"result": 1}
    assert put(outbox, 1) == [4]


def test_a_number_is_not_given_twice_after_an_erased_patient_and_a_lost_queue(state: Path) -> None:
    def damage(path: Path) -> None:
        path.unlink()
        for file in state.glob("sessions/*/*"):
            file.unlink()

    outbox = damaged_by(state, damage)
    assert contents(outbox) == []
    assert put(outbox, 1) == [4]


def test_beyond_the_bound_session_messages_go_first_and_results_stay(state: Path) -> None:
    limit = 1 << 20
    outbox = opened(state, limit)
    put(outbox, 2)
    telemetry = "rehabbox/1/site/box/session/{}"
    for number in range(20):
        outbox.put(telemetry.format(number), bytes(100_000))
    kept = [queued.topic for queued in outbox.pending() if queued.sequence is None]
    dropped = 20 - len(kept)
    assert kept == [telemetry.format(number) for number in range(dropped, 20)], "the oldest go"
    assert outbox.counters().dropped == {"session": dropped}
    put(outbox, 12, size=100_000)
    assert outbox.path.stat().st_size < limit + 100_000
    assert all(queued.sequence is not None for queued in outbox.pending())
    outbox.put(telemetry.format(20), bytes(100_000))
    assert outbox.counters().dropped == {"session": 21}
    outbox.close()

    # Results that found no room wait beside their session files, and follow as others leave.
    outbox = opened(state, limit)
    assert outbox.counters().queued == 14
    arrived: list[Queued] = []
    while batch := outbox.pending(limit=3):
        arrived += batch
        for queued in batch:
            outbox.delivered(queued.id)
    assert [queued.sequence for queued in arrived] == list(range(1, 15))


def test_a_full_disk_is_told_to_the_one_who_puts_and_the_result_is_not_lost(state: Path) -> None:
    def small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [sys.executable, "-c", FILLER, str(state)]
    done = subprocess.run(command, preexec_fn=small_disk, capture_output=True, text=True, timeout=120, check=True)
    kept, message = done.stdout.split(maxsplit=1)
    assert message.startswith(f"outbox {state / 'outbox.sqlite'}: ")
    assert "space" in message
    assert int(kept) > 0
    outbox = opened(state)
    assert outbox.rebuilt is None
    assert sequences(outbox) == list(range(1, int(kept) + 2)), "the last one was beside its session file already"
    assert put(outbox, 1) == [int(kept) + 2]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match=r"file/outbox\.sqlite"):
        opened(tmp_path / "file")


def test_a_newer_versions_file_is_left_alone(state: Path) -> None:
    opened(state).close()
    with sqlite3.connect(state / "outbox.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxError, match="newer version"):
        opened(state)
    assert list(state.glob("*damaged*")) == []


def test_what_has_left_the_outbox_cannot_be_read_from_its_bytes(outbox: Outbox) -> None:
    for number in range(40):
        outbox.put("rehabbox/1/demo/box-1/session/one", b"gone-%03d" % number + b"x" * 3000, subject="p-1")
    outbox.put("rehabbox/1/demo/box-1/session/two", b"stays", subject="p-2")
    for queued in outbox.pending(limit=39):
        outbox.delivered(queued.id)
    assert outbox.unsent_of("p-1") == 1
    assert [payload[:8] for payload in outbox.erase("p-1") or ()] == [b"gone-039"]
    outbox.scrub()
    held = b"".join(file.read_bytes() for file in outbox.path.parent.glob("outbox*"))
    assert b"gone-" not in held
    assert b"stays" in held
    assert [queued.payload for queued in outbox.pending()] == [b"stays"]


def test_messages_are_erased_only_where_none_waits_if_so_asked(outbox: Outbox) -> None:
    for session in ("one", "two"):
        outbox.put(f"rehabbox/1/demo/box-1/session/{session}", session.encode(), subject="p-1")
    first, second = outbox.pending()
    outbox.confirmed(first.id)
    assert outbox.erase("p-1", unsent=False) is None
    assert len(outbox.pending()) == 2
    outbox.confirmed(second.id)
    assert outbox.erase("p-1", unsent=False) == [b"one", b"two"]


def test_an_outbox_of_the_format_before_goes_on_with_its_messages(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.executescript(
            "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, sequence INTEGER UNIQUE, topic TEXT NOT NULL,"
            " payload BLOB NOT NULL, put_at TEXT NOT NULL);"
            "CREATE TABLE alert (code TEXT PRIMARY KEY) WITHOUT ROWID;"
            "INSERT INTO outbox VALUES (7, 3, 'a/b', 'kept', '2026-01-01T00:00:00+00:00'); PRAGMA user_version = 1"
        )
    box = opened(tmp_path)
    assert [(queued.id, queued.payload) for queued in box.pending()] == [(7, b"kept")]
    box.put("a/b", b"new", correlation=b"\0\1")
    assert box.pending(after=7)[0].correlation == b"\0\1"
    box.close()
