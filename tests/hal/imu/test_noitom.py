"""The Perception Neuron driver over real sockets against `tools/simulate`."""

import socket
import threading
import time

import numpy as np
import pytest

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.noitom import NoitomImuSet, NoitomOptions
from hal.registry import build_imu
from hal.types import SEGMENTS


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def opened(simulate):
    """A simulated broadcast and the driver opened on it."""
    drivers = []

    def start(*options, transport="tcp", **settings):
        if transport == "udp":
            port = free_udp_port()
            options = ("--udp", f"127.0.0.1:{port}", *options)
        else:
            options = ("--port", 0, *options)
        device = simulate("bvh", *options)
        form = "text" if "--text" in options else "binary"
        port = int(device.address.rpartition(":")[2])
        driver = NoitomImuSet(NoitomOptions(port=port, transport=transport, format=form, **settings))
        drivers.append(driver)
        driver.open()
        return device, driver

    yield start
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("form", [(), ("--text",), ("--no-displacement",), ("--reference",)])
def test_all_seventeen_segments_arrive(opened, collect, transport, form):
    _, driver = opened(*form, transport=transport)
    samples = collect(driver, 0.5)
    assert {sample.segment for sample in samples} == set(SEGMENTS)
    assert len(samples) == 17 * len({sample.counter for sample in samples}) > 17 * 20
    stamps = [sample.stamp_ns for sample in samples if sample.segment == "head"]
    assert (np.diff(stamps) > 0).all()
    counters = driver.counters
    assert (counters.lost, counters.malformed, counters.discarded_bytes, counters.dropped) == (0, 0, 0, 0)


def test_the_arms_swing_and_nothing_else_does_and_nothing_is_called_measured(opened, collect):
    _, driver = opened()
    samples = collect(driver, 0.8)
    turned = {sample.segment for sample in samples if abs(sample.orientation[0]) < 0.99}
    assert turned == {f"{side}_{part}" for side in ("left", "right") for part in ("arm", "forearm", "hand")}
    assert np.isnan(samples[0].acceleration).all()
    assert np.isnan(samples[0].angular_velocity).all()


def test_half_packets_cost_themselves_only_and_the_gap_is_counted(opened, collect):
    device, driver = opened("--duration", 2, "--fault", "half-packets:0.3,0.8")
    collect(driver, 10)
    did = device.report()
    assert did["half_packets"] > 10
    assert driver.counters.frames == did["sent"]
    assert driver.counters.lost == did["half_packets"]


def test_noise_costs_nothing(opened, collect):
    device, driver = opened("--duration", 2, "--fault", "noise:0.3,0.8")
    collect(driver, 10)
    did = device.report()
    assert did["bursts_of_noise"] > 5
    assert (driver.counters.frames, driver.counters.lost) == (did["sent"], 0)


@pytest.mark.parametrize(("fault", "said"), [("hang-up:0.3,0.4", "closed"), ("silence:0.3,1.6", "no frame came")])
def test_a_lost_connection_is_an_error_and_opening_again_works(opened, collect, fault, said):
    _, driver = opened("--fault", fault)
    assert collect(driver, 5)
    with pytest.raises(DeviceLostError, match=said):
        driver.read(0)
    lost_at = time.monotonic()
    while not collect(driver, 0.2):
        driver.close()
        driver.open()
    assert time.monotonic() - lost_at < 5


def test_another_avatar_is_counted_and_ignored(opened, collect):
    _, driver = opened(avatar=1)
    assert collect(driver, 0.3) == []
    assert driver.counters.other_avatars > 5


def test_nothing_is_left_behind(opened):
    threads = threading.active_count()
    _, driver = opened()
    assert threading.active_count() == threads + 1
    driver.close()
    driver.close()
    assert threading.active_count() == threads
    with pytest.raises(DeviceLostError, match="not open"):
        driver.read(0)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_no_connection_is_one_clear_error(transport):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        driver = build_imu({"driver": "noitom", "transport": transport, "port": taken.getsockname()[1]})
        with pytest.raises(DeviceNotFoundError, match="is the vendor's programme running and broadcasting BVH"):
            driver.open()
