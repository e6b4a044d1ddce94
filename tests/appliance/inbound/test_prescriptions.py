from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from appliance import clock
from appliance.messages.answer import Answer
from tests.appliance.inbound.conftest import TOPICS, at, prescription


def test_a_prescription_is_accepted_and_answered_where_its_sender_waits(bench: Any) -> None:
    wanted = prescription()
    answer = bench.prescribe(wanted, response_topic=TOPICS.answer("ward-7"), correlation=b"\x00ask")
    assert (answer["topic"], answer["correlation"]) == (TOPICS.answer("ward-7"), b"\x00ask")
    assert (answer["outcome"], answer["id"], answer["request"]) == ("accepted", wanted["id"], "prescription")
    assert str(bench.orders.current.id) == wanted["id"]
    Answer.model_validate({key: answer[key] for key in Answer.model_fields})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issued": at(-600)}, "too_old"),
        ({"issued": at(3600)}, "future"),
        ({"expires": at(-1), "issued": at(-0.5)}, "invalid"),
        ({"exercises": [{"id": "handstand", "repetitions": 1, "reference": "ab" * 32}]}, "unknown_exercise"),
        ({"exercises": [{"id": "squat", "side": "left", "repetitions": 1, "reference": "ab" * 32}]}, "invalid"),
        ({"subject": 17}, "invalid"),
    ],
)
def test_what_is_not_to_be_followed_is_refused_with_its_reason_and_the_last_one_stays(
    bench: Any, changes: dict[str, Any], code: str
) -> None:
    first = prescription()
    bench.prescribe(first)
    before = bench.held()
    answer = bench.prescribe(prescription(**changes), correlation=b"7")
    assert (answer["outcome"], answer["code"], answer["correlation"]) == ("refused", code, b"7")
    assert answer["reason"].startswith("prescription")
    assert str(bench.orders.current.id) == first["id"]
    assert bench.held() == before
    assert "prescription_refused" in bench.outbox.alert_codes()


def test_an_expired_one_is_refused(bench: Any) -> None:
    assert bench.prescribe(prescription(issued=at(-60), expires=at(-1)))["code"] == "expired"


def test_an_old_prescription_replayed_is_refused_also_after_a_restart(bench: Any) -> None:
    old, new = prescription(issued=at(-60)), prescription()
    bench.prescribe(old)
    bench.prescribe(new)
    assert bench.prescribe(old)["code"] == "too_old"
    bench.start()
    assert bench.prescribe(old)["code"] == "too_old"
    assert bench.orders.current is None
    assert bench.give(TOPICS.prescription, new, retained=True) == [], "the last one comes again, and is followed again"
    assert str(bench.orders.current.id) == new["id"]


def test_the_same_id_with_other_content_is_refused(bench: Any) -> None:
    wanted = prescription()
    bench.prescribe(wanted)
    assert bench.prescribe(wanted | {"subject": "patient-0018"})["code"] == "id_reused"
    assert bench.orders.current.subject == "patient-0017"


def test_a_withdrawn_prescription_does_not_come_back(bench: Any) -> None:
    wanted = prescription()
    bench.prescribe(wanted)
    assert bench.give(TOPICS.prescription, b"") == []
    assert bench.orders.current is None
    assert bench.prescribe(wanted)["code"] == "too_old"
    assert bench.orders.current is None


def test_a_retained_refusal_is_answered_once_and_not_with_every_connection(bench: Any) -> None:
    wrong = prescription(issued=at(3600))
    assert len(bench.give(TOPICS.prescription, wrong, retained=True)) == 1
    assert bench.give(TOPICS.prescription, wrong, retained=True) == []
    assert len(bench.give(TOPICS.prescription, wrong)) == 1


def test_a_prescription_whose_day_is_over_raises_no_alert_when_it_comes_again(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = prescription(expires=at(0.2))
    bench.prescribe(wanted)
    while datetime.now(UTC) <= datetime.fromisoformat(wanted["expires"]):
        pass
    bench.start()
    assert bench.give(TOPICS.prescription, wanted, retained=True) == []
    assert bench.outbox.alert_codes() == []


def test_a_box_whose_clock_was_never_set_takes_the_hospitals_word_for_the_time(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "installed", lambda: datetime.now(UTC) + timedelta(days=9000))
    assert bench.prescribe(prescription(issued=at(3600), expires=at(7200)))["outcome"] == "accepted"


@pytest.mark.parametrize("topic", ["rehabbox/1/demo/box-2/answer/x", "rehabbox/1/demo/box-1/status", "a/b", "", "a/#"])
def test_a_box_answers_nowhere_but_on_its_own_topics(bench: Any, topic: str) -> None:
    answer = bench.prescribe(prescription(), response_topic=topic)
    assert (answer["code"], answer["topic"]) == ("response_topic", TOPICS.answer("prescription"))
    assert bench.orders.current is None


def test_correlation_data_of_any_size_are_not_sent_back(bench: Any) -> None:
    answer = bench.prescribe(prescription(), correlation=b"x" * 5000)
    assert (answer["code"], answer["correlation"]) == ("response_topic", None)


def test_a_message_that_is_for_another_box_is_refused_and_raises_an_alert(bench: Any) -> None:
    for topic in ("rehabbox/1/demo/box-2/command/self-test", "rehabbox/2/demo/box-1/prescription", "x",
                  TOPICS.result("squat")):  # fmt: skip
        (answer,) = bench.give(topic, prescription(), response_topic="rehabbox/1/demo/box-2/answer/x")
        assert (answer["code"], answer["topic"].rpartition("/")[0]) == ("wrong_topic", TOPICS.answer("x")[:-2])
    assert bench.outbox.alert_codes() == ["foreign_message"]
    assert bench.orders.current is None
