"""What comes faster than the hospital's side works it off waits at the broker, not in our memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from appliance.errors import BrokerError
from appliance.hospital import client as client_module
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.settings import tls_context
from appliance.hospital.throwaway import ThrowawayBroker
from tests.appliance.hospital.answering_broker import AnsweringBroker

TOPIC = "rehabbox/1/demo/box-1/result/squat"
NUMBER, EACH = 2000, 2000
"""Messages of a flood, and bytes of each."""
ROOM = 100_000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ThrowawayBroker]:
    with ThrowawayBroker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def hospital(broker: ThrowawayBroker, monkeypatch: pytest.MonkeyPatch) -> HospitalClient:
    monkeypatch.setattr(client_module, "MOST_WAITING_BYTES", ROOM)
    settings = broker.settings_for("hospital")
    address = BrokerAddress("localhost", broker.port, True, settings.ca, settings.certificate, settings.key)
    return HospitalClient(address, "ward", ("rehabbox/1/#",))


def flood(broker: ThrowawayBroker) -> None:
    """Returns when the broker has acknowledged the last message."""
    settings = broker.settings_for("box-1")
    box = Client(CallbackAPIVersion.VERSION2, client_id="box-1", protocol=MQTTv5)
    box.tls_set_context(tls_context(settings))
    taken = Event()
    box.on_publish = lambda _c, _u, mid, *_: taken.set() if mid == NUMBER else None
    box.connect(settings.host, settings.port)
    for number in range(NUMBER):
        box.publish(TOPIC, str(number).ljust(EACH).encode(), qos=1)
    box.loop_start()
    assert taken.wait(60)
    box.disconnect()
    box.loop_stop()


def fetched(hospital: HospitalClient, most: int) -> list[int]:
    """The numbers of the messages that come, until there are so many or none comes any more."""
    numbers: list[int] = []
    while len(numbers) < most and (heard := hospital.next(1.0)) is not None:
        numbers.append(int(heard.payload))
    return numbers


def test_a_flood_that_nobody_fetches_is_held_back_and_comes_whole_and_in_order_when_it_is_fetched(
    broker: ThrowawayBroker, hospital: HospitalClient
) -> None:
    with hospital:
        flood(broker)
        assert fetched(hospital, NUMBER) == list(range(NUMBER))


def test_of_a_flood_no_more_is_here_than_there_is_room_for(broker: ThrowawayBroker, hospital: HospitalClient) -> None:
    with hospital:
        flood(broker)
        broker.kill()
        here = fetched(hospital, NUMBER)
    most = ROOM // EACH + 50  # what was on the line, and is not acknowledged
    assert 10 < len(here) < most
    assert here == list(range(len(here)))


def test_it_can_be_left_in_the_middle_of_a_flood(broker: ThrowawayBroker, hospital: HospitalClient) -> None:
    with hospital:
        flood(broker)
        began = monotonic()
    assert monotonic() - began < 5.0


def test_what_is_retained_may_be_more_than_there_is_room_for_before_the_broker_answers(
    broker: ThrowawayBroker, hospital: HospitalClient
) -> None:
    body = len(TOPIC).to_bytes(2, "big") + TOPIC.encode() + b"\0" + b"0".ljust(EACH)
    length = bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
    broker.stop()
    with AnsweringBroker(broker, [], retained=(b"\x31" + length + body) * NUMBER), hospital:
        assert fetched(hospital, NUMBER) == [0] * NUMBER


def test_a_property_that_paho_cannot_read_keeps_nothing_behind_it_away(
    broker: ThrowawayBroker, hospital: HospitalClient
) -> None:
    strange = Properties(PacketTypes.PUBLISH)
    strange.UserProperty = [("time", "\ufeffnow")]
    settings = broker.settings_for("box-1")
    box = Client(CallbackAPIVersion.VERSION2, client_id="box-1", protocol=MQTTv5)
    box.tls_set_context(tls_context(settings))
    box.connect(settings.host, settings.port)
    box.loop_start()
    box.publish("rehabbox/1/demo/box-1/status", b"1", qos=1, retain=True, properties=strange).wait_for_publish(30)
    with hospital:
        box.publish(TOPIC, b"2", qos=1)
        assert fetched(hospital, 2) == [1, 2]
    box.disconnect()
    box.loop_stop()


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("mqtts://[::1", "not a broker's address"),
        ("mqtts://[x]", "not a broker's address"),
        ("http://broker", "not a broker's address"),
        ("broker:0", "a number from 1 to 65535"),
        ("broker:70000", "a number from 1 to 65535"),
        ("mqtts://me:secret@broker", "holds no user name"),
    ],
)
def test_what_is_no_address_of_a_broker_is_said_in_one_line(address: str, complaint: str) -> None:
    with pytest.raises(BrokerError, match=complaint) as refused:
        BrokerAddress.parse(address)
    assert "secret" not in str(refused.value)


def test_in_the_middle_of_a_flood_the_broker_takes_what_is_published(
    broker: ThrowawayBroker, hospital: HospitalClient
) -> None:
    with hospital:
        flood(broker)
        hospital.publish("rehabbox/1/demo/box-2/prescription", b"{}", retain=True)
        assert hospital.next(1.0) is not None
