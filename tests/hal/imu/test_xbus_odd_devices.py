"""What an Xbus device may do besides measuring: refuse, restart, complain, repeat itself, or speak for a stranger."""

import os
import select
import struct
import threading
import tty

import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.xbus import XbusImuSet
from hal.imu.xbus_options import XbusOptions

WAKE_UP = bytes.fromhex("FA FF 3E 00 C3")
WAKE_UP_ACK = bytes.fromhex("FA FF 3F 00 C2")
ERROR_PARAMETER = bytes.fromhex("FA FF 42 01 21 9D")
CONFIGURED_AT_50_HZ = bytes.fromhex("10 20 FF FF 10 60 FF FF 40 20 00 32 80 20 00 32")


def framed(bus_id, mid, data=b""):
    body = bytes([bus_id, mid, len(data)]) + data
    return b"\xfa" + body + bytes([-sum(body) % 256])


def measured(counter, bus_id=1, rate=0.5):
    data = struct.pack(">HBHHBI", 0x1020, 2, counter, 0x1060, 4, 200 * counter)
    data += struct.pack(">HB3fHB3f", 0x4020, 12, 0.0, 0.0, 9.81, 0x8020, 12, rate, 0.0, 0.0)
    return framed(bus_id, 0x36, data)


class ScriptedDevice:
    """A pty that answers each request as told, and after the start of the measurement sends what it is given."""

    def __init__(self, data=b"", **answers):
        self._device, self._port = os.openpty()
        tty.setraw(self._port)
        self.path = os.ttyname(self._port)
        self.heard = []
        self._data = data
        self._answers = {0x00: b"\x00\x10\x00\x07", 0x02: bytes(8), 0xC0: CONFIGURED_AT_50_HZ} | {
            int(mid, 16): answer for mid, answer in answers.items()
        }
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        rest = b""
        while not self._stop.is_set():
            if not select.select([self._device], [], [], 0.02)[0]:
                continue
            rest += os.read(self._device, 4096)
            while len(rest) >= 5 and len(rest) >= 5 + rest[3]:
                request, rest = rest[: 5 + rest[3]], rest[5 + rest[3] :]
                self.heard.append(request)
                answer = self._answers.get(request[2], b"")
                if isinstance(answer, list):
                    answer = answer.pop(0)
                whole = answer if answer[:1] == b"\xfa" else framed(request[1], request[2] + 1, answer)
                os.write(self._device, whole + (self._data if request[2] == 0x10 else b""))

    def close(self):
        self._stop.set()
        self._thread.join()
        os.close(self._device)
        os.close(self._port)


@pytest.fixture
def start():
    """A function that starts a scripted device and a driver for it, not open yet."""
    made = []

    def begin(data=b"", sensors=None, device_ids=None, **answers):
        device = ScriptedDevice(data, **answers)
        driver = XbusImuSet(
            XbusOptions(
                port=device.path, sensors=sensors or {1: "head"}, device_ids=device_ids or {}, rate_hz=50,
                orientation=False,
            )
        )  # fmt: skip
        made.append((device, driver))
        return device, driver

    yield begin
    for device, driver in made:
        driver.close()
        device.close()


def test_the_requests_are_the_documents_and_in_its_order(start):
    device, driver = start(measured(1))
    driver.open()
    assert [request.hex(" ").upper() for request in device.heard] == [
        "FA FF 30 00 D1",  # go to the config state
        "FA FF 00 00 01",  # who are you
        "FA FF 12 00 EF",  # which firmware
        "FA FF 02 00 FF",  # who is on the bus
        "FA FF 88 00 79",  # how full is the battery
        "FA FF 04 02 09 00 F2",  # 115200 / 50 = 2304 ticks
        "FA 01 C0 10 10 20 FF FF 10 60 FF FF 40 20 00 32 80 20 00 32 2F",
        "FA FF 10 00 F1",  # measure
    ]
    [sample] = driver.read(1.0)
    assert (sample.segment, sample.counter, sample.stamp_ns) == ("head", 0, 200 * 100_000)
    assert sample.acceleration.tolist() == pytest.approx([0.0, 0.0, 9.81])
    assert sample.angular_velocity.tolist() == [0.5, 0.0, 0.0]


def test_a_device_that_restarts_is_lost_because_it_forgot_its_configuration(start):
    _, driver = start(measured(1) + measured(2) + WAKE_UP)
    driver.open()
    with pytest.raises(DeviceLostError, match="restarted and forgot its configuration"):
        driver.read(1.0)


def test_a_reset_waits_for_the_device_to_wake_up_and_leaves_the_port_free(start):
    device, driver = start(measured(1), **{"40": WAKE_UP})
    assert driver.present
    driver.reset()
    driver.open()
    assert [request.hex(" ").upper() for request in device.heard[:3]] == [
        "FA FF 40 00 C1",
        "FA FF 3F 00 C2",
        "FA FF 30 00 D1",
    ]
    assert len(driver.read(1.0)) == 1


def test_a_port_that_is_not_there_is_told_apart_from_a_dead_line(tmp_path):
    driver = XbusImuSet(XbusOptions(port=str(tmp_path / "ttyUSB0")))
    assert not driver.present
    with pytest.raises(DeviceNotFoundError, match="there is no such port"):
        driver.reset()


def test_a_device_that_wakes_up_while_asked_is_acknowledged_and_asked_again(start):
    device, driver = start(measured(1), **{"30": [WAKE_UP, b"", b""]})
    driver.open()
    assert [request[2] for request in device.heard[:3]] == [0x30, 0x3F, 0x30]
    assert device.heard[1] == WAKE_UP_ACK
    assert len(driver.read(1.0)) == 1


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"C0": ERROR_PARAMETER}, r"refused SET_OUTPUT_CONFIGURATION with error 0x21 \(parameter out of range\)"),
        ({"C0": CONFIGURED_AT_50_HZ[:12]}, "sensor 1: .* cannot send its rate of turn"),
        ({"02": b""}, r"none of the sensors \[1\] is on its bus"),
        ({"10": ERROR_PARAMETER}, "refused GO_TO_MEASUREMENT"),
    ],
)
def test_a_device_that_cannot_do_what_we_need_is_one_clear_error(start, answers, said):
    _, driver = start(**answers)
    with pytest.raises(DeviceNotFoundError, match=said):
        driver.open()


def test_sensors_at_different_rates_are_refused(start):
    at_100 = CONFIGURED_AT_50_HZ.replace(b"\x00\x32", b"\x00\x64")
    _, driver = start(sensors={1: "head", 2: "left_arm"}, C0=[CONFIGURED_AT_50_HZ, at_100])
    with pytest.raises(DeviceNotFoundError, match=r"different rates: \[50.0, 100.0\] Hz"):
        driver.open()


def test_a_master_without_battery_or_period_is_no_fault(start):
    _, driver = start(measured(1), **{"88": ERROR_PARAMETER, "04": ERROR_PARAMETER, "12": ERROR_PARAMETER})
    driver.open()
    assert driver.battery_percent is None
    assert driver.info.firmware == ""
    assert len(driver.read(1.0)) == 1


def test_what_is_no_sample_is_counted_by_its_kind(start):
    stream = measured(1) + measured(1) + measured(2, bus_id=9) + ERROR_PARAMETER + measured(3, rate=float("nan"))
    stream += framed(1, 0x36, bytes.fromhex("10 20 02 00 05")) + framed(1, 0x36, bytes.fromhex("10 20 01 05"))
    _, driver = start(stream + measured(4))
    driver.open()
    came = []
    while len(came) < 2:
        came += driver.read(0.9)
    counters = driver.counters
    assert (counters.messages, counters.samples) == (8, 2)
    assert (counters.repeated, counters.unknown_sensors, counters.device_errors, counters.malformed) == (1, 1, 1, 3)
    assert counters.lost == 2
    assert came[1].counter == 3


HEAD, ARM, OTHER = (bytes.fromhex(f"0030000{number}") for number in (1, 2, 3))


def test_behind_a_dead_sensor_the_others_keep_their_segments(start):
    """The master numbers what it finds: without the first, the second is number 1."""
    _, driver = start(measured(1) + measured(1, bus_id=2), {1: "head", 2: "left_arm"}, **{"02": [HEAD + ARM, ARM]})
    driver.open()
    assert {sample.segment for sample in driver.read(1.0)} == {"head", "left_arm"}
    driver.open()
    assert {sample.segment for sample in driver.read(1.0)} == {"left_arm"}
    assert driver.silent == ("head",)
    assert driver.counters.unknown_sensors == 1


def test_a_sensor_that_the_settings_name_is_known_at_the_first_opening(start):
    ids = {1: HEAD.hex(), 2: ARM.hex()}
    _, driver = start(measured(1), {1: "head", 2: "left_arm"}, ids, **{"02": ARM})
    driver.open()
    assert [sample.segment for sample in driver.read(1.0)] == ["left_arm"]


def test_a_stranger_in_the_place_of_a_named_sensor_is_refused_in_words(start):
    ids = {1: HEAD.hex(), 2: ARM.hex()}
    _, driver = start(measured(1), {1: "head", 2: "left_arm"}, ids, **{"02": HEAD + OTHER})
    with pytest.raises(DeviceNotFoundError, match="sensor 2 is 00300003, a stranger in the place of 00300002"):
        driver.open()


def test_a_single_mti_is_known_by_its_own_number(start):
    _, driver = start(measured(1, bus_id=255), {255: "head"}, {255: "00100007"})
    driver.open()
    _, other = start(measured(1, bus_id=255), {255: "head"}, {255: "00100008"})
    with pytest.raises(DeviceNotFoundError, match="stranger in the place of 00100008"):
        other.open()
