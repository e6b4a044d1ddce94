import json
import os
import signal
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, islice, repeat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from appliance.errors import SettingsError
from appliance.hospital import delivery, suspects
from appliance.hospital.authority import Authority
from appliance.hospital.events import Accepted, Connected, Disconnected, Event, Received, Refused
from appliance.hospital.link import Link, delays
from appliance.hospital.outbox import Outbox
from appliance.hospital.settings import OutboxSettings
from appliance.hospital.throwaway import ThrowawayBroker
from tests.appliance.hospital.answering_broker import AnsweringBroker

LinkTo = Callable[..., Link]
WaitUntil = Callable[[Callable[[], bool]], None]

LIVE_BOX = """
import json, sys, time
from pathlib import Path
from appliance.hospital.link import Link
from appliance.hospital.outbox import Outbox
from appliance.hospital.settings import BrokerSettings, OutboxSettings

settings = BrokerSettings.model_validate_json(sys.argv[1])
outbox = Outbox(Path(sys.argv[2]), lambda payload: [])
link = Link(settings, outbox, lambda state, number: json.dumps({"state": state, "connection": number}).encode())
link.raise_alert("camera_lost", b"{}")
link.start()
time.sleep(60)
"""


def event_of(link: Link, kind: type[Event]) -> Any:
    while not isinstance(event := link.events.get(timeout=30), kind):
        pass
    return event


def results(hospital: Any, known: dict[str, int], until: int) -> None:
    """Fills `known` (id to sequence) until it holds so many: what a receiver that keeps the ids sees."""
    while len(known) < until:
        document = json.loads(hospital.next(lambda message: "/result/" in message.topic).payload)
        known[document["id"]] = document["sequence"]


def put_results(outbox: Outbox, number: int) -> None:
    for _ in range(number):
        outbox.put_result(
            str(uuid4()),
            "00_squat",
            lambda sequence: json.dumps({"id": f"r{sequence}", "sequence": sequence, "historical": False}).encode(),
        )


def test_a_box_is_online_with_its_connection_number_and_stopped_after_a_clean_end(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo
) -> None:
    for number in (1, 2):
        link = link_to(broker.settings_for("box-1"))
        link.start()
        assert event_of(link, Connected) == Connected(number)
        assert link.connected
        assert hospital.next_status("online")["connection"] == number
        link.stop()
        assert not link.connected
        assert hospital.next_status("stopped")["connection"] == number


def test_a_box_that_is_killed_is_lost_under_the_number_of_its_connection(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox
) -> None:
    settings = broker.settings_for("box-1")
    box = subprocess.Popen([sys.executable, "-c", LIVE_BOX, settings.model_dump_json(), str(outbox.path.parent)])
    try:
        assert hospital.next_status("online")["connection"] == 1
        raised = hospital.next(lambda message: message.topic.endswith("/alert/camera_lost"))
        assert raised.payload == b"{}"
    finally:
        os.kill(box.pid, signal.SIGKILL)
        box.wait()
    assert hospital.next_status("lost")["connection"] == 1
    hospital.client.subscribe("rehabbox/1/demo/box-1/status", qos=1)
    kept = hospital.next(lambda message: message.topic.endswith("/status") and message.retain)
    assert json.loads(kept.payload)["state"] == "lost"

    # Its next life takes the alert of the last one off the broker, for it does not raise it again.
    link = link_to(settings)
    link.start()
    assert hospital.next_status("online")["connection"] == 2
    assert hospital.next(lambda message: message.topic.endswith("/alert/camera_lost")).payload == b""


def test_status_is_retained_and_says_what_it_is_in_its_properties(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo
) -> None:
    link = link_to(broker.settings_for("box-1"))
    link.start()
    event_of(link, Connected)
    hospital.next_status("online")
    hospital.client.subscribe(link.topics.status, qos=1)
    kept = hospital.next(lambda message: message.topic == link.topics.status and message.retain)
    assert kept.properties.ContentType == "application/json"
    assert dict(kept.properties.UserProperty).keys() == {"schema", "time"}


def test_results_arrive_once_each_although_the_broker_is_away_at_first_and_dies_in_between(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox, wait_until: WaitUntil
) -> None:
    broker.stop()
    link = link_to(broker.settings_for("box-1"))
    link.start()
    put_results(outbox, 5)
    assert "refused" in event_of(link, Disconnected).reason
    assert not link.connected
    assert outbox.counters().queued == 5

    broker.start()
    known: dict[str, int] = {}
    results(hospital, known, until=5)
    assert event_of(link, Connected).number > 1

    broker.stop()
    event_of(link, Disconnected)
    put_results(outbox, 5)
    broker.start()
    results(hospital, known, until=10)
    assert sorted(known.values()) == list(range(1, 11))
    wait_until(lambda: outbox.counters().queued == 0)
    assert outbox.counters().delivered == 10


def test_a_result_waits_when_the_broker_dies_before_it_answers(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox, wait_until: WaitUntil
) -> None:
    link = link_to(broker.settings_for("box-1"))
    link.start()
    event_of(link, Connected)
    os.kill(broker.pid, signal.SIGSTOP)
    put_results(outbox, 40)
    broker.kill()
    event_of(link, Disconnected)
    assert outbox.counters().queued == 40
    broker.start()
    wait_until(lambda: outbox.counters().queued == 0)


def test_what_the_rules_deny_is_kept_reported_once_and_sent_when_they_change(
    broker: ThrowawayBroker,
    hospital: Any,
    link_to: LinkTo,
    outbox: Outbox,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "FIRST_RETRY_S", 0.2)
    link = link_to(broker.settings_for("box-1"))
    denied = "rehabbox/1/demo/box-2/result/squat"
    outbox.put(denied, b"first")
    outbox.put(denied, b"second")
    link.start()
    refused = event_of(link, Refused)
    assert (refused.topic, "135" in refused.reason) == (denied, True)
    put_results(outbox, 1)
    wait_until(lambda: outbox.counters().delivered == 1)
    assert [queued.payload for queued in outbox.pending() if queued.sequence is None] == [b"first", b"second"]
    assert link.events.empty()
    assert outbox.counters().refused >= 2

    with (broker.folder / "acl").open("a") as rules:
        rules.write(f"pattern write {denied}\n")
    os.kill(broker.pid, signal.SIGHUP)
    wait_until(lambda: outbox.counters().queued == 0)


def test_a_result_that_nobody_subscribes_to_is_kept_until_somebody_does(
    broker: ThrowawayBroker,
    side_of: Any,
    link_to: LinkTo,
    outbox: Outbox,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker acknowledges it with success, as "no matching subscribers", and throws it away."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_S", 0.5)
    link = link_to(broker.settings_for("box-1"))
    link.start()
    put_results(outbox, 1)
    outbox.put(link.topics.session("1"), b"telemetry goes all the same")
    topic = link.topics.result("squat")
    assert event_of(link, Refused) == Refused(topic, "nobody subscribes to it")
    wait_until(lambda: outbox.counters().delivered == 1)
    assert [queued.sequence for queued in outbox.pending()] == [1]
    hospital = side_of("hospital")
    result = json.loads(hospital.next(lambda message: message.topic == topic).payload)
    assert (result["sequence"], result["historical"]) == (1, True)
    assert event_of(link, Accepted) == Accepted(topic)
    wait_until(lambda: outbox.counters().queued == 0)


@pytest.mark.parametrize(
    ("limit", "said"),
    [("max_packet_size 20000", "larger than the 20000"), ("message_size_limit 20000", "ends the connection")],
)
def test_a_message_larger_than_the_broker_takes_holds_up_nothing(
    broker: ThrowawayBroker,
    hospital: Any,
    link_to: LinkTo,
    outbox: Outbox,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    said: str,
) -> None:
    monkeypatch.setattr(suspects, "FIRST_PAUSE_S", suspects.LONGEST_PAUSE_S)
    with (broker.folder / "mosquitto.conf").open("a") as config:
        config.write(f"{limit}\n")
    broker.stop()
    command = ["/usr/sbin/mosquitto", "-c", broker.folder / "mosquitto.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            link = link_to(broker.settings_for("box-1"), OutboxSettings(keep_s=0.0))
            link.start()
            event_of(link, Connected)
            wait_until(hospital.client.is_connected)
            outbox.put(link.topics.session("1"), bytes(50_000))
            put_results(outbox, 1)
            assert said in event_of(link, Refused).reason
            wait_until(lambda: [queued.sequence for queued in outbox.pending()] == [None])
            assert json.loads(hospital.next(lambda message: "/result/" in message.topic).payload)["sequence"] == 1
        finally:
            process.kill()


def test_a_result_that_was_confirmed_just_before_the_broker_died_is_sent_again(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox, wait_until: WaitUntil
) -> None:
    """It may have been in the broker's memory only, and its receiver away."""
    link = link_to(broker.settings_for("box-1"))
    link.start()
    event_of(link, Connected)
    put_results(outbox, 1)
    outbox.put(link.topics.session("1"), b"telemetry is not sent again")
    wait_until(lambda: outbox.counters().delivered == 2)
    assert outbox.counters().queued == 0
    broker.kill()
    broker.start()
    heard = [hospital.next(lambda message: "/result/" in message.topic) for _ in range(2)]
    assert [json.loads(message.payload)["historical"] for message in heard] == [False, True]
    wait_until(lambda: outbox.counters().queued == 0)
    link.stop()
    assert outbox.pending() == [], "a broker that is left in peace keeps what it confirmed"
    assert outbox.counters().delivered == 2


def test_an_old_queue_follows_at_its_rate_and_holds_up_no_new_result(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox, wait_until: WaitUntil
) -> None:
    put_results(outbox, 25)
    link = link_to(broker.settings_for("box-1"), OutboxSettings(late_per_s=10.0))
    link.start()
    hospital.next(lambda message: "/result/" in message.topic)
    put_results(outbox, 1)
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["sequence"] != 26:
        heard.append(json.loads(hospital.next(lambda message: "/result/" in message.topic).payload))
    assert len(heard) < 22
    assert [result["historical"] for result in heard] == [True] * (len(heard) - 1) + [False]
    wait_until(lambda: outbox.counters().queued == 0)


@pytest.mark.parametrize(
    "code",
    [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    ids=["unspecified", "specific", "not authorized", "topic", "identifier in use", "quota", "payload format"],
)
def test_whatever_reason_the_broker_gives_a_result_stays_until_it_is_taken(
    broker: ThrowawayBroker,
    link_to: LinkTo,
    outbox: Outbox,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    monkeypatch.setattr(delivery, "FIRST_RETRY_S", 0.05)
    broker.stop()
    with AnsweringBroker(broker, codes=[code, code]):
        link = link_to(broker.settings_for("box-1"))
        link.start()
        event_of(link, Connected)
        put_results(outbox, 1)
        assert f"({code})" in event_of(link, Refused).reason
        event_of(link, Accepted)
        wait_until(lambda: outbox.counters().queued == 0)
        assert (outbox.counters().refused, outbox.counters().delivered) == (2, 1)
        link.stop()


def test_a_refused_subscription_is_reported(broker: ThrowawayBroker, link_to: LinkTo) -> None:
    # Only the dynamic security plugin refuses a subscription itself; by an ACL file it is granted and stays silent.
    broker.stop()
    access = dict.fromkeys(("publishClientSend", "publishClientReceive", "unsubscribe"), True) | {"subscribe": False}
    rules = broker.folder / "rules.json"
    rules.write_text(json.dumps({"defaultACLAccess": access, "clients": [], "groups": [], "roles": []}))
    (plugin,) = Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")
    config = (broker.folder / "mosquitto.conf").read_text()
    strict = broker.folder / "strict.conf"
    strict.write_text(
        config.replace(f"acl_file {broker.folder}/acl", f"plugin {plugin}\nplugin_opt_config_file {rules}")
    )
    with subprocess.Popen(["/usr/sbin/mosquitto", "-c", strict], stderr=subprocess.DEVNULL) as process:
        try:
            link = link_to(broker.settings_for("box-1"))
            link.start()
            while event_of(link, Refused) != Refused(link.topics.prescription, "Not authorized (135)"):
                pass
        finally:
            process.kill()


def test_a_prescription_arrives_whether_it_was_there_before_or_comes_later(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo
) -> None:
    link = link_to(broker.settings_for("box-1"))
    hospital.publish(link.topics.prescription, b"before")
    link.start()
    assert event_of(link, Received) == Received(link.topics.prescription, b"before", retained=True)
    hospital.publish(link.topics.prescription, b"later")
    assert event_of(link, Received) == Received(link.topics.prescription, b"later", retained=False)
    hospital.publish(link.topics.prescription, b"")
    assert event_of(link, Received).payload == b""


def test_a_property_that_paho_cannot_read_keeps_nothing_behind_it_away(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo
) -> None:
    link = link_to(broker.settings_for("box-1"))
    hospital.publish(link.topics.prescription, b"strange", content_type="\ufeffapplication/json")
    link.start()
    assert event_of(link, Received).payload == b"strange"
    hospital.publish(link.topics.prescription, b"later")
    assert event_of(link, Received).payload == b"later"


def test_alert_and_status_are_told_again_to_a_broker_that_forgot_them(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo
) -> None:
    link = link_to(broker.settings_for("box-1"))
    link.start()
    link.raise_alert("disk_full", b"raised")
    hospital.next(lambda message: message.topic == link.topics.alert("disk_full"))
    broker.kill()
    event_of(link, Disconnected)
    broker.start()
    hospital.next(lambda message: message.topic == link.topics.alert("disk_full"))
    for topic in (link.topics.alert("disk_full"), link.topics.status):
        hospital.client.subscribe(f"{topic}/#", qos=1)
        assert hospital.next(lambda message, topic=topic: message.topic == topic and message.retain).payload


def test_an_alert_is_retained_until_cleared_also_when_that_happens_offline(
    broker: ThrowawayBroker,
    hospital: Any,
    link_to: LinkTo,
    outbox: Outbox,
    wait_until: WaitUntil,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def after_the_hospital(_: float) -> Iterator[float]:
        hospital.back()
        yield from repeat(0.1)

    monkeypatch.setattr("appliance.hospital.link.delays", after_the_hospital)
    link = link_to(broker.settings_for("box-1"))
    link.raise_alert("disk_full", b"raised")
    link.start()
    topic = link.topics.alert("disk_full")
    assert hospital.next(lambda message: message.topic == topic).payload == b"raised"

    broker.stop()
    event_of(link, Disconnected)
    link.clear_alert("disk_full", b"cleared")
    broker.start()
    assert hospital.next(lambda message: message.topic == topic and message.payload != b"raised").payload == b"cleared"
    assert hospital.next(lambda message: message.topic == topic).payload == b""
    hospital.client.subscribe(f"{topic}/#", qos=1)
    hospital.publish(link.topics.prescription, b"mark", retain=False)
    after = hospital.next(lambda message: message.topic in (topic, link.topics.prescription))
    assert after.payload == b"mark", "nothing is retained any more"
    wait_until(lambda: outbox.alert_codes() == [])


def test_stopping_sends_what_was_put_just_before(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox
) -> None:
    link = link_to(broker.settings_for("box-1"))
    link.start()
    event_of(link, Connected)
    put_results(outbox, 50)
    link.stop()
    assert outbox.counters().queued == 0
    known: dict[str, int] = {}
    results(hospital, known, until=50)
    assert list(known.values()) == list(range(1, 51)), "one connection keeps the order"


def test_a_broker_of_another_authority_is_refused(broker: ThrowawayBroker, link_to: LinkTo, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    link = link_to(broker.settings_for("box-1").model_copy(update={"ca": stranger.certificate}))
    link.start()
    assert "certificate" in event_of(link, Disconnected).reason
    assert not link.connected


def test_a_box_whose_certificate_the_broker_does_not_know_hears_so(
    broker: ThrowawayBroker, link_to: LinkTo, tmp_path: Path
) -> None:
    files = Authority(tmp_path / "stranger").client("box-1")
    known = broker.settings_for("box-1")
    link = link_to(known.model_copy(update={"certificate": files.certificate, "key": files.key}))
    link.start()
    assert "certificate" in event_of(link, Disconnected).reason
    assert not link.connected


def test_a_broker_under_another_host_name_is_refused(broker: ThrowawayBroker, link_to: LinkTo) -> None:
    same_address = "127.1"  # resolves to 127.0.0.1 and is not a name the certificate holds
    link = link_to(broker.settings_for("box-1").model_copy(update={"host": same_address}))
    link.start()
    assert "mismatch" in event_of(link, Disconnected).reason


def test_a_broker_that_takes_few_messages_at_once_is_not_sent_more(
    broker: ThrowawayBroker, link_to: LinkTo, outbox: Outbox, wait_until: WaitUntil
) -> None:
    broker.stop()
    with AnsweringBroker(broker, codes=[], at_once=3) as few:
        link = link_to(broker.settings_for("box-1"))
        link.start()
        event_of(link, Connected)
        put_results(outbox, 12)
        wait_until(lambda: outbox.counters().queued == 0)
        link.stop()
        assert few.most_at_once == 3


def test_without_a_broker_stopping_is_quick_and_nothing_is_lost(
    broker: ThrowawayBroker, link_to: LinkTo, outbox: Outbox
) -> None:
    broker.stop()
    link = link_to(broker.settings_for("box-1"))
    link.start()
    put_results(outbox, 1)
    event_of(link, Disconnected)
    link.stop()
    assert outbox.counters().queued == 1


def test_a_session_that_is_taken_ends_the_refusal_of_another_one(
    broker: ThrowawayBroker, link_to: LinkTo, outbox: Outbox
) -> None:
    link = link_to(broker.settings_for("box-1"))
    one, other, result = link.topics.session("1"), link.topics.session("2"), link.topics.result("squat")
    for refused in (one, other, result):
        link._refused(refused, "Not authorized")
    link._accepted(link.topics.session("3"))
    told = [link.events.get(timeout=5) for _ in range(3)]
    assert told == [Refused(one, "Not authorized"), Refused(result, "Not authorized"), Accepted(one)]


def test_who_is_asked_to_connect_again_between_two_attempts_does_so_at_once(
    broker: ThrowawayBroker, link_to: LinkTo, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.hospital.link.delays", lambda spread_s: repeat(3600.0))
    broker.stop()
    link = link_to(broker.settings_for("box-1"))
    link.start()
    event_of(link, Disconnected)
    broker.start()
    link.connect_again()
    assert event_of(link, Connected).number > 0


def test_attempts_come_seldom_in_the_end_and_never_in_step() -> None:
    first, second = list(islice(delays(0.5), 12)), list(islice(delays(0.5), 12))
    assert first != second
    assert all(0.0 <= wait <= 60 for wait in first)
    assert first[0] <= 0.5
    assert min(first[8:]) >= 30


@pytest.mark.parametrize("away_s", [0.0, 3.0, 40.0])
def test_boxes_that_lost_the_same_broker_do_not_come_back_all_at_once(away_s: float) -> None:
    boxes, spread_s = 2000, 10.0
    arrivals = sorted(next(at for at in accumulate(delays(spread_s)) if at >= away_s) for _ in range(boxes))
    within_a_second = max(bisect_right(arrivals, at + 1.0) - number for number, at in enumerate(arrivals))
    assert within_a_second <= 1.5 * boxes / spread_s


@pytest.mark.parametrize("key", ["ca", "certificate", "key"])
def test_a_file_that_is_missing_or_no_pem_is_named_by_its_key(
    broker: ThrowawayBroker, link_to: LinkTo, key: str, tmp_path: Path
) -> None:
    settings = broker.settings_for("box-1")
    with pytest.raises(SettingsError, match=rf"^broker\.{key}: cannot read .*No such file"):
        link_to(settings.model_copy(update={key: tmp_path / "missing.pem"}))
    junk = tmp_path / "junk.pem"
    junk.write_bytes(b"\x00junk")
    with pytest.raises(SettingsError, match=rf"^broker\.{key}: .*junk"):
        link_to(settings.model_copy(update={key: junk}))


def test_a_certificate_of_another_box_is_named(broker: ThrowawayBroker, link_to: LinkTo) -> None:
    with pytest.raises(SettingsError, match=r"^broker\.box: is 'box-2', but .* was issued to box-1$"):
        link_to(broker.settings_for("box-1").model_copy(update={"box": "box-2"}))


def test_a_key_of_another_certificate_is_named(broker: ThrowawayBroker, link_to: LinkTo) -> None:
    settings = broker.settings_for("box-1")
    with pytest.raises(SettingsError, match=r"^broker\.key: "):
        link_to(settings.model_copy(update={"key": broker.settings_for("box-2").key}))


def test_a_key_with_a_passphrase_is_refused_without_asking_for_it(
    broker: ThrowawayBroker, link_to: LinkTo, tmp_path: Path
) -> None:
    settings = broker.settings_for("box-1")
    key = load_pem_private_key(settings.key.read_bytes(), password=None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    with pytest.raises(SettingsError, match=r"^broker\.key: .*without passphrase"):
        link_to(settings.model_copy(update={"key": locked}))


def test_what_is_soon_out_of_date_goes_out_at_once_with_its_expiry_or_not_at_all(
    broker: ThrowawayBroker, hospital: Any, link_to: LinkTo, outbox: Outbox
) -> None:
    link = link_to(broker.settings_for("box-1"))
    link.publish_once(link.topics.health, b'{"number": 1}', 90)
    link.start()
    event_of(link, Connected)
    link.publish_once(link.topics.health, b'{"number": 2}', 90)
    message = hospital.next(lambda message: message.topic == link.topics.health)
    assert json.loads(message.payload) == {"number": 2}
    assert (message.qos, message.retain) == (0, False)
    assert 85 <= message.properties.MessageExpiryInterval <= 90
    assert outbox.counters().queued == 0
