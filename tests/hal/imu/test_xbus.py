"""The Xbus driver over a real line (a pty) against `tools/simulate`, which shares no code with it."""

import os
import threading
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.xbus import XbusImuSet
from hal.imu.xbus_options import XbusOptions
from hal.registry import build_imu
from hal.types import SEGMENTS


@pytest.fixture
def opened(simulate):
    """A simulated master and the driver opened on it: `opened(*simulator options, **driver options)`."""
    drivers = []

    def start(*options, **settings):
        device = simulate("xbus", *options)
        driver = XbusImuSet(XbusOptions(port=device.address, **settings))
        drivers.append(driver)
        driver.open()
        return device, driver

    yield start
    for driver in drivers:
        driver.close()


def descriptors():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def by_segment(samples):
    grouped = defaultdict(list)
    for sample in samples:
        grouped[sample.segment].append(sample)
    return grouped


def test_seventeen_sensors_arrive_without_loss_while_counter_and_time_wrap(opened, collect):
    device, driver = opened("--duration", 2.5)
    samples = by_segment(collect(driver, 10))
    sent = device.report()
    assert set(samples) == set(SEGMENTS)
    assert sum(map(len, samples.values())) == sent["sent"] == driver.counters.samples
    overflowed = sent.get("overflowed", 0)  # where the machine leaves the reader without a processor for a second
    assert (driver.counters.lost, driver.counters.discarded_bytes, driver.counters.clock_jumps) == (overflowed, 0, 0)
    for of_one in samples.values():
        counters = [sample.counter for sample in of_one]
        assert counters == list(range(len(of_one))) or (overflowed and counters == sorted(set(counters)))
        steps = np.diff([sample.stamp_ns for sample in of_one])
        assert (steps > 0).all()
        assert steps.mean() == pytest.approx(1e9 / 96, rel=0.02)


def test_what_a_sensor_measures_agrees_with_itself(opened, collect):
    """The simulated sensor swings about x: turning gravity by its orientation must give up, whose axis here is y."""
    _, driver = opened("--duration", 1)
    samples = collect(driver, 5)
    assert len(samples) > 17 * 60
    for sample in samples[::50]:
        w, x, y, z = sample.orientation
        ax, ay, az = sample.acceleration
        axis = np.array([x, y, z])
        turned = np.array([ax, ay, az]) + 2 * np.cross(axis, np.cross(axis, [ax, ay, az]) + w * np.array([ax, ay, az]))
        assert turned == pytest.approx([0.0, 9.81, 0.0], abs=1e-4)
        assert sample.angular_velocity[1:].tolist() == [0.0, 0.0]


def test_a_mounting_turns_the_axes_of_its_segment_only(opened, collect):
    quarter_about_x = (0.5**0.5, 0.5**0.5, 0.0, 0.0)
    _, driver = opened("--sensors", 2, "--duration", 0.5, sensors={1: "head", 2: "left_arm"},
                       mounting={"head": quarter_about_x})  # fmt: skip
    samples = by_segment(collect(driver, 5))
    head, arm = samples["head"][0], samples["left_arm"][0]
    assert np.linalg.norm(head.acceleration) == pytest.approx(9.81, abs=1e-4)
    # At rest up is z in the sensor's axes; a quarter turn about x takes z to -y.
    assert head.acceleration[1] == pytest.approx(-np.sqrt(9.81**2 - head.acceleration[2] ** 2), abs=1e-4)
    assert arm.acceleration[2] > 8
    for sample in (head, arm):
        w, x, y, z = sample.orientation
        up = np.array([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)])
        assert up @ sample.acceleration == pytest.approx(9.81, abs=1e-4)


def test_a_single_mti_needs_no_master(opened, collect):
    _, driver = opened("--sensors", 0, "--duration", 0.5, sensors={255: "left_forearm"}, orientation=False)
    samples = collect(driver, 5)
    assert {sample.segment for sample in samples} == {"left_forearm"}
    assert samples[0].orientation is None
    assert driver.battery_percent is None


def test_who_it_is_comes_from_the_device(opened):
    _, driver = opened("--rate", 60)
    info = driver.info
    assert (info.driver, info.rate_hz, info.firmware, info.synthetic) == ("xbus", 60.0, "2.5.1", False)
    assert "00100007" in info.name
    assert driver.battery_percent == 87


def test_sensors_that_are_not_there_are_named_and_the_others_go_on(opened, collect):
    _, driver = opened("--sensors", 2, sensors={1: "head", 2: "left_arm", 5: "right_arm"})
    assert {sample.segment for sample in collect(driver, 0.3)} == {"head", "left_arm"}
    assert driver.silent == ("right_arm",)


@pytest.mark.parametrize(
    ("fault", "lost", "junk"),
    [
        ("noise:0.3,0.6", lambda did: 0, lambda did: did["junk_bytes"]),
        ("half-packets:0.3,0.6", lambda did: did["half_packets"], lambda did: did["junk_bytes"]),
        ("bad-checksum:0.3,0.6", lambda did: did["bad_checksums"], lambda did: did["junk_bytes"]),
        ("silence:0.3,0.6", lambda did: did["withheld"], lambda did: 0),
        ("dropout:0.3,0.6", lambda did: did["withheld"], lambda did: 0),
        ("clock-jump:0.3,3600", lambda did: 0, lambda did: 0),
        ("clock-jump:0.3,-3600", lambda did: 0, lambda did: 0),
    ],
)
def test_after_each_fault_the_counters_are_what_was_injected(opened, collect, fault, lost, junk):
    device, driver = opened("--duration", 2.6, "--fault", fault)
    samples = by_segment(collect(driver, 10))
    did = device.report()
    counters = driver.counters
    assert sum(map(len, samples.values())) == counters.samples == did["sent"]
    assert counters.lost == lost(did) + did.get("overflowed", 0)
    assert counters.discarded_bytes == junk(did)
    assert counters.clock_jumps == did.get("clock_jumps", 0)
    assert (counters.malformed, counters.repeated, counters.dropped) == (0, 0, 0)
    assert sum(did.get(kind, 0) for kind in ("junk_bytes", "withheld", "clock_jumps")) > 0
    for of_one in samples.values():
        assert all(before.stamp_ns < after.stamp_ns for before, after in pairwise(of_one))


@pytest.mark.parametrize("fault", ["hang-up:0.3,0.5", "silence:0.3,1.5"])
def test_a_lost_device_is_back_within_five_seconds(opened, tmp_path, fault):
    _, driver = opened("--pty-link", tmp_path / "imu", "--fault", fault)
    lost_at = None
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if lost_at is None:
                driver.read(0.2)
            else:
                driver.open()
                if driver.read(1.0):
                    break
        except DeviceLostError:
            lost_at = lost_at or time.monotonic()
            driver.close()
        except DeviceNotFoundError:
            time.sleep(0.1)
    assert lost_at is not None
    assert time.monotonic() - lost_at < 5


def test_a_device_that_vanishes_is_lost_after_its_last_sample_and_stays_lost(opened, collect):
    device, driver = opened("--duration", 0.5)
    assert len(collect(driver, 5)) == device.report()["sent"]
    for _ in range(2):
        with pytest.raises(DeviceLostError, match="hung up"):
            driver.read(1.0)


def test_what_nobody_reads_is_dropped_oldest_first_and_counted(opened):
    _, driver = opened("--sensors", 1, "--duration", 1, sensors={1: "head"}, queue_s=0.25)
    time.sleep(1.3)
    kept = driver.read(1.0)
    assert len(kept) == 25
    assert driver.counters.dropped == driver.counters.samples - 25 > 0
    assert kept[-1].counter == driver.counters.samples - 1


def test_nothing_is_left_behind(simulate):
    device = simulate("xbus", "--sensors", 2)
    driver = XbusImuSet(XbusOptions(port=device.address))
    threads, open_files = threading.active_count(), descriptors()
    driver.close()
    for _ in range(2):
        driver.open()
        assert threading.active_count() == threads + 1
        driver.close()
        driver.close()
    assert threading.active_count() == threads
    assert descriptors() == open_files
    with pytest.raises(DeviceLostError, match="not open"):
        driver.read(0)


def test_no_such_port_is_one_clear_error(tmp_path):
    with pytest.raises(DeviceNotFoundError, match="no such port; is the receiver plugged in"):
        XbusImuSet(XbusOptions(port=str(tmp_path / "ttyUSB0"))).open()


def test_a_file_that_is_no_serial_port_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DeviceNotFoundError, match="cannot open it as a serial port"):
        XbusImuSet(XbusOptions(port=str(tmp_path / "file"))).open()


def test_a_port_where_nobody_answers_is_one_clear_error_and_leaves_nothing_open():
    device, port = os.openpty()
    open_files = descriptors()
    with pytest.raises(DeviceNotFoundError, match=r"no answer to GO_TO_CONFIG .* check power, cable and baud rate"):
        XbusImuSet(XbusOptions(port=os.ttyname(port))).open()
    assert descriptors() == open_files
    os.close(device)
    os.close(port)


def test_sensors_that_are_all_missing_are_one_clear_error(simulate):
    device = simulate("xbus", "--sensors", 2)
    with pytest.raises(DeviceNotFoundError, match=r"none of the sensors \[5, 6\] is on its bus"):
        XbusImuSet(XbusOptions(port=device.address, sensors={5: "head", 6: "left_arm"})).open()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sensors": {1: "haed"}}, "no segment 'haed'"),
        ({"sensors": {0: "head"}}, "bus identifier 0"),
        ({"sensors": {1: "head", 2: "head"}}, "two of them are on one segment"),
        ({"device_ids": {1: "30001"}}, "device_ids"),
        ({"device_ids": {18: "00300001"}}, "no sensor 18 in `sensors`"),
        ({"device_ids": {1: "0030000a", 2: "0030000A"}}, "named twice"),
        ({"baudrate": 115200}, r"17 sensors at 96 Hz need 1077120 baud"),
        ({"mounting": {"head": (1.0, 1.0, 0.0, 0.0)}}, "unit quaternion"),
        ({"mounting": {"tail": (1.0, 0.0, 0.0, 0.0)}}, "no segment 'tail'"),
        ({"speed": 3}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        XbusOptions(port="/dev/ttyUSB0", **settings)


def test_the_settings_of_a_file_reach_the_driver():
    driver = build_imu({"driver": "xbus", "port": "/dev/ttyUSB0", "sensors": {"3": "head"}, "baudrate": 115200})
    assert driver.info.name == "/dev/ttyUSB0"
