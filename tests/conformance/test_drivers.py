"""What every camera and every set of IMUs keeps to, whatever is behind it. The drivers: `conftest.py`."""

import gc
import os
import threading
import time
from contextlib import suppress
from dataclasses import FrozenInstanceError
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from hal.errors import DeviceLostError, DriverOptionError, HalError, StreamEndedError
from hal.recovering import RecoveringCamera, RecoveringImuSet
from hal.recovery import RecoverySettings
from hal.registry import DRIVERS, driver_options
from hal.types import SEGMENTS

PAUSE_S = 1.5
"""How long nobody reads."""


def read(driver, count):
    """At least that many frames or samples, in the order they came, or all there are where a replay ends before."""
    got = []
    for _ in range(10 * count):
        try:
            came = driver.read(0.5)
        except StreamEndedError:
            assert got
            return got
        got.extend(listed(came))
        if len(got) >= count:
            return got
    raise AssertionError(f"only {len(got)} of {count} came")


def listed(came):
    """A set of IMUs gives many or none, a camera one frame or None."""
    return came if isinstance(came, (list, tuple)) else [came] * (came is not None)


def counter(one):
    return one.index if hasattr(one, "index") else one.counter


def by_source(came):
    groups = {}
    for one in came:
        groups.setdefault(getattr(one, "segment", "camera"), []).append(one)
    return groups.values()


def assert_in_order(came):
    for items in by_source(came):
        assert all(a.stamp_ns < b.stamp_ns for a, b in pairwise(items))
        assert all(counter(a) < counter(b) for a, b in pairwise(items))
    assert all(a.arrival_ns <= b.arrival_ns for a, b in pairwise(came))


def descriptors():
    gc.collect()
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def test_close_comes_before_open_and_twice_without_complaint(source):
    source.close()
    source.open()
    read(source, 1)
    source.close()
    source.close()


def test_it_can_be_opened_again_and_begins_anew_and_leaves_no_thread_and_no_descriptor(source):
    threads, files = set(threading.enumerate()), descriptors()
    for _ in range(2):
        source.open()
        assert counter(read(source, 3)[0]) < 20
        source.close()
    assert descriptors() <= files
    assert set(threading.enumerate()) <= threads


def test_reading_what_is_not_open_is_an_error_of_the_devices_tree(source):
    with pytest.raises(HalError):
        source.read(0.01)
    source.open()
    source.close()
    with pytest.raises(HalError):
        source.read(0.01)


def test_what_it_delivers_has_the_types_of_the_protocol_and_is_in_order(source_bench, source):
    source.open()
    came = read(source, 15)
    assert_in_order(came)
    assert all(isinstance(one.stamp_ns, int) and isinstance(one.arrival_ns, int) for one in came)
    one = came[0]
    if source_bench.kind == "imu":
        assert one.segment in SEGMENTS
        assert one.acceleration.shape == one.angular_velocity.shape == (3,)
        assert np.linalg.norm(one.orientation) == pytest.approx(1.0)
    elif one.body is not None:
        assert one.body.positions.shape == (len(one.body.confidence), 3)
    else:
        assert one.color.dtype == np.uint8
        assert one.color.shape[2] == 3
    with pytest.raises(FrozenInstanceError):
        one.stamp_ns = 0


def test_what_nobody_reads_is_bounded_and_every_drop_is_counted(source_bench, source):
    """A file drops nothing: it waits."""
    source.open()
    came = read(source, source_bench.sensors)
    if source_bench.live:
        time.sleep(PAUSE_S)
        resumed = time.monotonic()
        late = read(source, 2 * source_bench.sensors)
        came += late
        while time.monotonic() < resumed + 0.2:
            came += read(source, 1)
        counters, a_second = source.counters, source_bench.rate_hz * source_bench.sensors
        assert len(late) <= (source_bench.kept_s + 0.3) * a_second
        gone = counters.dropped if source_bench.drops_itself else counters.lost
        assert gone >= (PAUSE_S - source_bench.kept_s - 0.3) * a_second
    else:
        with suppress(StreamEndedError):
            while True:
                came.append(source.read(0.5))
        counters = source.counters
        assert counters.dropped == 0
    missing = sum(counter(b) - counter(a) - 1 for items in by_source(came) for a, b in pairwise(items))
    assert missing == pytest.approx(counters.dropped + counters.lost, abs=source_bench.sensors)
    assert_in_order(came)
    source.close()
    assert source.counters.dropped >= counters.dropped


def test_a_lost_device_is_an_error_within_seconds_and_works_again_when_it_is_back(source, lose, bring_back):
    source.open()
    read(source, 4)
    lose()
    with pytest.raises(DeviceLostError):
        read(source, 10_000)
    with pytest.raises(HalError):
        source.open()
    source.close()
    bring_back()
    source.open()
    assert_in_order(read(source, 10))


def test_behind_the_ladder_a_loss_is_a_gap_in_one_line_of_stamps_and_counters(source_bench, source, lose, bring_back):
    wrapper = RecoveringImuSet if source_bench.kind == "imu" else RecoveringCamera
    recovering = wrapper(source, RecoverySettings())
    recovering.open()
    came = read(recovering, 10)
    lose()
    deadline = time.monotonic() + 5
    while recovering.condition.state != "recovering":
        assert time.monotonic() < deadline
        came += listed(recovering.read(0.1))
    time.sleep(0.3)  # away for several frames, however soon the ladder tries
    bring_back()
    back = time.monotonic()
    came += read(recovering, 20)
    assert time.monotonic() - back < 5
    recovering.close()
    assert_in_order(came)
    condition = recovering.condition
    assert (condition.state, condition.interruptions) == ("idle", 1)
    assert condition.lost > 0


def test_a_sensor_that_falls_silent_beside_others_is_named_and_the_others_go_on(source_bench, muted):
    assert "left_arm" in muted.silent
    muted.open()
    read(muted, 3 * source_bench.sensors)
    assert muted.silent == ()
    deadline = time.monotonic() + 10
    while muted.silent != ("left_arm",):
        assert time.monotonic() < deadline, muted.silent
        came = muted.read(0.5)
    assert came


def test_it_says_who_it_is_before_it_is_open(source_bench, source):
    assert source.info.driver == source_bench.settings["driver"]
    assert source.info.name


def test_an_unknown_option_is_refused_by_its_name(source_bench):
    with pytest.raises(DriverOptionError, match=rf"{source_bench.kind}\.no_such_option"):
        driver_options(source_bench.kind, source_bench.settings | {"no_such_option": 1})


def test_no_driver_is_left_out(conformance_names):
    assert {(kind, name) for kind, drivers in DRIVERS.items() for name in drivers} == conformance_names
