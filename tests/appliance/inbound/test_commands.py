import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography import x509

from appliance.errors import EnrolmentError, RehabBoxError
from appliance.hospital.authority import Authority
from appliance.inbound import ledger
from appliance.inbound.hooks import Hooks
from appliance.messages.command import COMMANDS, MAX_BYTES
from appliance.update.wish import UpdateOutcome
from tests.appliance.inbound.conftest import TOPICS, Bench, at, command


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


def test_a_changed_log_level_is_answered_with_the_one_before(bench: Any) -> None:
    logging.getLogger().setLevel("WARNING")
    asked = command(level="DEBUG")
    answer = bench.command("set-log-level", asked, response_topic=TOPICS.answer("it"), correlation=b"1")
    assert (answer["topic"], answer["correlation"], answer["id"]) == (TOPICS.answer("it"), b"1", asked["id"])
    assert answer["log_level"] == {"before": "WARNING", "now": "DEBUG"}
    assert logging.getLogger().level == logging.DEBUG


@pytest.mark.parametrize(
    ("changes", "how", "code"),
    [
        ({"box": "box-2"}, {}, "wrong_box"),
        ({}, {"retained": True}, "retained"),
        ({"issued": at(-600), "expires": at(-1)}, {}, "expired"),
        ({"issued": at(1200), "expires": at(1800)}, {}, "future"),
        ({"expires": at(8 * 86400)}, {}, "invalid"),
        ({"expires": at(-3600)}, {}, "invalid"),
        ({"level": "LOUD"}, {}, "invalid"),
        ({"level": ["DEBUG"]}, {}, "invalid"),
        ({"and": 1}, {}, "invalid"),
        ({"id": "one"}, {}, "invalid"),
        ({}, {"response_topic": "rehabbox/1/demo/box-2/answer/it"}, "response_topic"),
    ],
)
def test_a_command_that_is_not_to_be_obeyed_is_refused_answered_and_changes_nothing(
    bench: Any, changes: dict[str, Any], how: dict[str, Any], code: str
) -> None:
    level, before = logging.getLogger().level, bench.held()
    answer = bench.command(
        "set-log-level", command(level="CRITICAL" if "level" in changes else "ERROR") | changes, **how
    )
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert logging.getLogger().level == level
    assert bench.held() == before


def test_a_command_comes_once_also_over_a_restart(bench: Any) -> None:
    asked = command(level="ERROR")
    bench.command("set-log-level", asked)
    logging.getLogger().setLevel("INFO")
    assert bench.command("set-log-level", asked)["code"] == "repeated"
    bench.start()
    answer = bench.command("set-log-level", asked | {"level": "DEBUG"})
    assert (answer["code"], answer["id"]) == ("repeated", asked["id"])
    assert logging.getLogger().level == logging.INFO


def test_a_command_of_another_name_does_not_pass_under_this_one(bench: Any) -> None:
    assert bench.command("forget-patient", command(level="ERROR"))["code"] == "invalid"
    assert bench.command("open-door", command())["code"] == "unknown_command"
    assert bench.command("SELF-TEST", command())["code"] == "unknown_command"
    assert bench.command("self-test", b"")["code"] == "invalid"
    assert bench.command("self-test", b" " * (MAX_BYTES + 1))["code"] == "invalid"
    assert bench.command("self-test", b'{"id":' * 2000)["code"] == "invalid"


def test_what_this_box_cannot_do_it_says(bench: Any) -> None:
    for name, keys in (("update", {"version": "0.2.0"}), ("rotate-certificate", {})):
        answer = bench.command(name, command(**keys))
        assert answer["outcome"] == "unsupported"
        assert "box" in answer["reason"]


def test_a_certificate_is_renewed_by_the_part_that_can(tmp_path: Any) -> None:
    file = Authority(tmp_path / "other").client("box-1").certificate
    certificate = x509.load_pem_x509_certificate(file.read_bytes())

    class Renewal:
        fails, online = False, True

        def request(self) -> str:
            return "a request"

        def install(self, answer: str) -> x509.Certificate:
            assert answer == "an answer"
            return certificate

        def renew(self) -> x509.Certificate:
            if self.fails:
                raise EnrolmentError("the server does\nnot answer")
            return certificate

    bench = Bench(tmp_path, Hooks(Renewal()))
    answer = bench.command("rotate-certificate", command())
    assert (answer["outcome"], f"{certificate.not_valid_after_utc:%Y-%m-%d}" in answer["detail"]) == ("done", True)
    Renewal.fails = True
    answer = bench.command("rotate-certificate", command())
    assert (answer["outcome"], answer["reason"]) == ("failed", "the server does not answer")
    Renewal.online = False
    assert bench.command("rotate-certificate", command())["certificate_request"] == "a request"
    answer = bench.command("rotate-certificate", command(certificate="an answer"))
    assert (answer["outcome"], f"{certificate.not_valid_after_utc:%Y-%m-%d}" in answer["detail"]) == ("done", True)
    bench.outbox.close()


@dataclass
class Updater:
    """One that is done with a command when its outcome is put here."""

    done: dict[UUID, UpdateOutcome] = field(default_factory=dict)

    def update(self, version: str, command: UUID, expires: datetime) -> str:
        if version == "0.0.1":
            raise RehabBoxError("no\nsource")
        return f"{version} is fetched"

    def outcome(self, command: UUID) -> UpdateOutcome | None:
        return self.done.get(command)


@pytest.fixture
def updater() -> Updater:
    return Updater()


@pytest.fixture
def updated(tmp_path: Any, updater: Updater) -> Iterator[Bench]:
    box = Bench(tmp_path, Hooks(updater=updater))
    yield box
    box.outbox.close()


def test_an_update_is_accepted_and_told_as_done_after_the_restart_when_it_is_not_before(
    updated: Bench, updater: Updater
) -> None:
    asked = command(version="0.2.0")
    answer = updated.command("update", asked, response_topic=TOPICS.answer("it"), correlation=b"7")
    assert (answer["outcome"], answer["detail"]) == ("accepted", "0.2.0 is fetched")
    assert updated.follow_up() == []
    updated.start()
    assert updated.follow_up() == []
    updater.done[UUID(asked["id"])] = UpdateOutcome(True, "0.2.0 is installed")
    (told,) = updated.follow_up()
    assert (told["outcome"], told["detail"], told["id"]) == ("done", "0.2.0 is installed", asked["id"])
    assert (told["request"], told["topic"], told["correlation"]) == ("command/update", TOPICS.answer("it"), b"7")
    updated.start()
    assert updated.follow_up() == []


def test_an_update_that_was_taken_back_could_not_begin_or_was_overtaken_failed_and_one_too_late_is_refused(
    updated: Bench, updater: Updater
) -> None:
    answer = updated.command("update", command(version="0.0.1"))
    assert (answer["outcome"], answer["reason"]) == ("failed", "no source")
    first, second = command(version="0.2.0"), command(version="0.3.0")
    updated.command("update", first)
    overtaken, accepted = updated.give(TOPICS.command("update"), second)
    assert (overtaken["outcome"], overtaken["id"]) == ("failed", first["id"])
    assert (accepted["outcome"], accepted["id"]) == ("accepted", second["id"])
    updater.done[UUID(second["id"])] = UpdateOutcome(False, "0.3.0 does not work: no frame")
    (told,) = updated.follow_up()
    assert (told["outcome"], told["reason"]) == ("failed", "0.3.0 does not work: no frame")
    late = command(version="0.4.0")
    updated.command("update", late)
    updater.done[UUID(late["id"])] = UpdateOutcome(False, "a session ran", expired=True)
    (told,) = updated.follow_up()
    assert (told["outcome"], told["code"], told["reason"]) == ("refused", "expired", "a session ran")


def test_a_command_that_expires_while_the_box_is_busy_is_not_begun(bench: Any) -> None:
    asked = command(subject="patient-0017", expires=at(0.3))
    assert bench.give(TOPICS.command("forget-patient"), asked) == []
    while datetime.now(UTC) <= datetime.fromisoformat(asked["expires"]):
        pass
    (answer,) = bench.work()
    assert (answer["outcome"], answer["code"], answer["id"]) == ("refused", "expired", asked["id"])


def test_ids_are_known_while_they_could_be_used_again_also_after_a_clock_was_set_back(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "KEPT_OVER", 2)
    valid, over = uuid4(), [uuid4() for _ in range(4)]
    bench.ledger.begin(valid, datetime.fromisoformat(at(60)))
    for one in over:
        bench.ledger.begin(one, datetime.fromisoformat(at(-60)))
    bench.ledger.begin(uuid4(), datetime.fromisoformat(at(60)))
    assert bench.ledger.begun(valid)
    assert [bench.ledger.begun(one) for one in over] == [False, False, True, True]


def test_every_command_says_what_it_does() -> None:
    assert all(payload.__doc__ for payload in COMMANDS.values())
