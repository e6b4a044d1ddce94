import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import pytest

from appliance.messages.examples import RESULT
from appliance.messages.model import encode
from appliance.messages.session import Session
from appliance.privacy.erasing import erase_file, needles, search
from appliance.privacy.retention import Retention
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.settings import RetentionSettings
from tests.appliance.inbound.conftest import TOPICS, command, prescription

WHO = "patient-0017"


def alive(quiet_s: float = 0.0) -> None:
    """Nobody watches."""


def exercised(bench: Any, subject: str = WHO, results: int = 2) -> str:
    """A session as a box leaves it: files, progress, results and messages that wait for the broker."""
    bench.holding.settle(subject, alive)
    session = uuid4()
    metadata = SessionMetadata(
        session=str(session), index=0, exercise="squat", started="2026-03-01T08:00:00Z", software="1", subject=subject
    )
    writer = SessionWriter.open(metadata.file_in(bench.state / "sessions"), metadata)
    writer.add_event(1, "cue", {"name": "begin"})
    writer.finish()
    message = Session(
        id=session, box="box-1", prescription=uuid4(), subject=subject, state="ready",
        started=datetime.now(UTC), at=datetime.now(UTC), current=None, exercises=(), synthetic=True,
    )  # fmt: skip
    bench.progress.open_session(message)
    bench.reporter.session(message)
    for index in range(results):
        bench.outbox.put_result(str(session), f"{index:02d}_squat", lambda number: result(subject, number))
    return str(session)


def result(subject: str, sequence: int) -> bytes:
    return encode(RESULT.model_copy(update={"id": uuid4(), "subject": subject, "sequence": sequence}))


def traces(bench: Any, *words: str) -> list[str]:
    """Files in which one of the words can be read, byte by byte; looked for by other code than the box's own."""
    files = [path for path in bench.state.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if any(word.encode() in path.read_bytes() for word in words))


def deliver(bench: Any) -> None:
    for queued in bench.outbox.pending():
        bench.outbox.delivered(queued.id)


def forget(bench: Any, **keys: Any) -> list[dict[str, Any]]:
    """The answers."""
    how = {"response_topic": TOPICS.answer("dpo"), "correlation": b"f"}
    answers: list[dict[str, Any]] = bench.give(TOPICS.command("forget-patient"), command(subject=WHO, **keys), **how)
    return answers + bench.work()


def test_forgetting_erases_everything_at_once_and_proves_it(bench: Any) -> None:
    bench.prescribe(prescription())
    session = exercised(bench)
    (answer,) = forget(bench, unsent="erase")
    assert (answer["outcome"], answer["topic"], answer["correlation"]) == ("done", TOPICS.answer("dpo"), b"f")
    proof = answer["erasure"]
    assert proof["files"] == len(proof["erased"]) == 4, "a recording, two results, progress"
    assert {Path(file["name"]).suffix for file in proof["erased"]} == {".mcap", ".json"}
    assert (proof["messages"], proof["unsent"], proof["found"]) == (5, 0, []), "a result is two messages"
    assert proof["searched_bytes"] > 0
    assert traces(bench, WHO) == []
    deliver(bench)
    bench.outbox.scrub()
    assert traces(bench, session) == [], "the answer itself names the session"
    assert bench.orders.current is None


def test_unsent_results_are_delivered_first_where_the_hospital_wants_them(bench: Any) -> None:
    bench.prescribe(prescription())
    session = exercised(bench)
    (answer,) = forget(bench)
    assert (answer["outcome"], answer["erasure"]["unsent"], answer["erasure"]["files"]) == ("accepted", 5, 4)
    assert {name.partition(".")[0] for name in traces(bench, WHO)} <= {"outbox", "accepted"}
    bench.start()
    assert bench.work() == [], "it still waits, also after a restart"
    deliver(bench)
    (answer,) = bench.work()
    assert (answer["outcome"], answer["correlation"]) == ("done", b"f")
    assert (answer["erasure"]["messages"], answer["erasure"]["files"], answer["erasure"]["found"]) == (0, 4, [])
    assert session in answer["erasure"]["erased"][0]["name"]
    assert traces(bench, WHO) == []


def test_what_is_not_delivered_when_the_command_expires_is_erased_and_counted(bench: Any) -> None:
    exercised(bench)
    expires = datetime.now(UTC) + timedelta(seconds=2)
    (answer,) = forget(bench, expires=expires.isoformat())
    assert answer["outcome"] == "accepted"
    while datetime.now(UTC) <= expires:
        sleep(0.05)
    (answer,) = bench.work()
    assert (answer["outcome"], answer["erasure"]["messages"]) == ("done", 5)
    assert traces(bench, WHO) == []


def test_a_forgotten_patients_old_prescription_does_not_come_back(bench: Any) -> None:
    old = prescription()
    bench.prescribe(old)
    exercised(bench)
    forget(bench, unsent="erase")
    bench.start()
    assert bench.prescribe(old, retained=True)["code"] == "too_old"
    assert bench.prescribe(prescription())["outcome"] == "accepted"


def test_who_is_being_forgotten_comes_back_when_that_is_done(bench: Any) -> None:
    bench.prescribe(prescription())
    exercised(bench)
    forget(bench)
    assert bench.prescribe(prescription())["code"] == "being_forgotten"
    assert bench.orders.current is None
    deliver(bench)
    bench.work()
    assert traces(bench, WHO) == []
    assert bench.prescribe(prescription())["outcome"] == "accepted"


def test_forgetting_somebody_the_box_never_knew_says_that_there_was_nothing(bench: Any) -> None:
    bench.prescribe(prescription(subject="somebody else"))
    session = exercised(bench, "somebody else")
    (answer,) = forget(bench)
    assert (answer["outcome"], answer["erasure"]["files"], answer["erasure"]["messages"]) == ("done", 0, 0)
    assert (bench.state / "sessions" / session).is_dir()
    assert bench.orders.current.subject == "somebody else"


def test_a_hand_over_leaves_nothing_of_the_last_patient_but_what_the_hospital_does_not_have(bench: Any) -> None:
    bench.prescribe(prescription())
    session = exercised(bench)
    wanted = prescription(subject="the next one")
    bench.prescribe(wanted)
    bench.work()
    assert not (bench.state / "sessions" / session).exists()
    assert bench.progress.interrupted is None
    assert bench.outbox.unsent_of(WHO) == 5
    assert {name.partition(".")[0] for name in traces(bench, WHO)} <= {"outbox", "accepted"}
    bench.start()
    bench.give(TOPICS.prescription, wanted, retained=True)
    deliver(bench)
    assert bench.work() == []
    assert traces(bench, WHO, session) == []
    assert bench.ledger.holder == "the next one"


def test_a_hand_over_that_lost_power_is_finished_before_the_next_patients_first_set(bench: Any) -> None:
    session = exercised(bench)
    bench.prescribe(prescription(subject="the next one"))
    bench.start()
    assert (bench.state / "sessions" / session).is_dir()
    bench.holding.settle("the next one", alive)
    assert not (bench.state / "sessions" / session).exists()


def test_the_next_prescription_of_the_same_patient_erases_nothing(bench: Any) -> None:
    bench.prescribe(prescription())
    session = exercised(bench)
    bench.prescribe(prescription())
    bench.work()
    bench.holding.settle(WHO, alive)
    assert (bench.state / "sessions" / session).is_dir()


def test_the_next_patients_prescription_is_still_due_after_the_hand_over(bench: Any) -> None:
    exercised(bench)
    wanted = prescription(subject="the next one")
    bench.prescribe(wanted)
    bench.work()
    late = datetime.fromisoformat(wanted["expires"]) + timedelta(seconds=1)
    assert str(bench.progress.missed(late).id) == wanted["id"]


def test_a_search_finds_what_a_file_holds_across_its_blocks_and_however_json_writes_it(tmp_path: Path) -> None:
    block = 1 << 20
    (tmp_path / "plain").write_bytes(b"x" * (block - 3) + "Zoë-1234".encode() + b"y" * block)
    (tmp_path / "escaped").write_bytes(json.dumps({"subject": "Zoë-1234"}).encode())
    (tmp_path / "other").write_bytes(b"Zoe-1234")
    seen = search(tmp_path, needles("Zoë-1234"), alive)
    assert seen.found == ("escaped", "plain")
    assert (seen.files, seen.bytes) == (3, sum(path.stat().st_size for path in tmp_path.iterdir()))
    assert search(tmp_path, needles("1"), alive).found == (), "a short identifier is looked for in quotes"


def test_an_erased_file_was_overwritten_before_its_name_went(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"secret" * 300_000)
    os.link(path, tmp_path / "seen")
    gone = erase_file(path, tmp_path)
    assert (gone.name, gone.bytes) == ("secret", 1_800_000)
    assert not path.exists()
    assert set((tmp_path / "seen").read_bytes()) == {0}


def old(bench: Any, session: str, days: float) -> Path:
    folder: Path = bench.state / "sessions" / session
    at = datetime.now(UTC).timestamp() - days * 86400
    for path in folder.iterdir():
        os.utime(path, (at, at))
    return folder


def retention(bench: Any, **limits: int) -> int:
    settings = RetentionSettings(**limits)
    return Retention(settings, bench.state, bench.outbox, lambda: None).enforce(alive)


def test_session_files_go_when_their_days_are_over_and_the_hospital_has_the_results(bench: Any) -> None:
    first, second = exercised(bench), exercised(bench)
    files = old(bench, first, 31), old(bench, second, 29)
    deliver(bench)
    assert retention(bench, days=30) == 1
    assert [folder.exists() for folder in files] == [False, True]


class In40Days(datetime):
    """What time it is then."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(days=40)


def test_results_that_wait_hold_their_files_back(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = old(bench, exercised(bench), -1)  # written later than the first of its messages was queued
    with monkeypatch.context() as later:
        later.setattr("appliance.privacy.retention.datetime", In40Days)
        assert retention(bench, days=30) == 0
        deliver(bench)
        assert retention(bench, days=30) == 1
    assert not folder.exists()


def test_beyond_their_bytes_the_oldest_session_files_go_first_but_never_one_under_way(bench: Any) -> None:
    sessions = [exercised(bench) for _ in range(3)]
    folders = [old(bench, session, days) for session, days in zip(sessions, (3, 2, 1), strict=True)]
    fresh = bench.state / "sessions" / exercised(bench)
    for folder in (*folders, fresh):
        (folder / "large").write_bytes(bytes(5 << 20))
    for folder, days in zip(folders, (3, 2, 1), strict=True):
        old(bench, folder.name, days)
    assert retention(bench, megabytes=12) == 1
    assert [folder.exists() for folder in (*folders, fresh)] == [False, True, True, True]


def test_a_file_that_cannot_be_erased_keeps_the_next_patient_waiting(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercised(bench)

    def refuse(path: Path, base: Path) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("appliance.privacy.erasing.erase_file", refuse)
    with pytest.raises(OSError, match="Read-only"):
        bench.holding.settle("the next one", alive)
    assert bench.ledger.holder == WHO


def test_what_a_patient_who_is_back_does_while_their_hand_over_ends_is_not_erased(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercised(bench)
    bench.holding.settle("somebody between", alive)
    bench.holding.settle(WHO, alive)
    deliver(bench)
    erase = bench.outbox.erase

    def queued_just_before(subject: str, **options: Any) -> Any:
        if subject == WHO:
            exercised(bench)
        return erase(subject, **options)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(bench.outbox, "erase", queued_just_before)
        bench.work()
    assert bench.outbox.unsent_of(WHO) == 5
    deliver(bench)
    bench.work()
    assert bench.ledger.departures == ()


def refusing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nobody may open the file or list the folder of that name."""
    opened, listed = Path.open, os.scandir

    def refuse(path: Any, do: Any, *arguments: Any, **options: Any) -> Any:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return do(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", lambda path, *how, **options: refuse(path, opened, *how, **options))
    monkeypatch.setattr(os, "scandir", lambda path=".": refuse(path, listed))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_searched_after_forgetting_counts_as_found(
    bench: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    exercised(bench)
    (bench.state / "foreign").touch() if kind == "file" else (bench.state / "foreign").mkdir()
    refusing(monkeypatch, "foreign")
    (answer,) = forget(bench, unsent="erase")
    assert (answer["outcome"], answer["erasure"]["found"]) == ("failed", ["foreign"])
    assert bench.ledger.departures == ()


def test_forgetting_is_answered_also_when_the_power_went_before_the_answer(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercised(bench)
    with monkeypatch.context() as cut:
        cut.setattr("appliance.privacy.holding.search", pulled)
        with pytest.raises(KeyboardInterrupt):
            forget(bench, unsent="erase")
    bench.start()
    (answer,) = bench.work()
    assert (answer["outcome"], answer["erasure"]["found"], answer["erasure"]["files"]) == ("done", [], 4)
    assert (bench.work(), traces(bench, WHO)) == ([], [])


def pulled(*arguments: Any) -> None:
    """The plug."""
    raise KeyboardInterrupt


def test_a_session_that_cannot_be_erased_keeps_no_later_one_from_going(
    bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = exercised(bench), exercised(bench)
    (bench.state / "sessions" / first / "report.html").touch()
    folders = old(bench, first, 32), old(bench, second, 31)
    deliver(bench)
    refusing(monkeypatch, "report.html")
    assert retention(bench, days=30) == 1
    assert [folder.exists() for folder in folders] == [True, False]
    assert f"the files of session {first} are not erased" in caplog.text
