"""From messages to one sensor's numbers: layouts, worlds, and a clock that neither wraps nor jumps."""

import random
import struct

import numpy as np
import pytest

from hal.errors import DeviceDataError
from hal.imu.mounting import matrix
from hal.imu.xbus_samples import Reader, SensorClock, check_layout, read

TICKS_100_HZ = 100


def payload(counter=7, ticks=9, quaternion=(1.0, 0.0, 0.0, 0.0), world=0x2010, acceleration=(1.0, 2.0, 3.0)):
    return (
        struct.pack(">HBH", 0x1020, 2, counter)
        + struct.pack(">HBI", 0x1060, 4, ticks)
        + struct.pack(">HB3f", 0x4020, 12, *acceleration)
        + struct.pack(">HB3f", 0x8020, 12, 0.25, 0.5, -0.75)
        + struct.pack(">HB4f", world, 16, *quaternion)
    )


def test_a_message_gives_counter_time_acceleration_rate_and_orientation():
    reading = read(payload())
    assert reading == (7, 9, (1.0, 2.0, 3.0), (0.25, 0.5, -0.75), (1.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("missing", [0x1020, 0x1060, 0x4020, 0x8020])
def test_a_message_without_what_a_sample_needs_gives_none(missing):
    sizes = {0x1020: 2, 0x1060: 4, 0x4020: 12, 0x8020: 12}
    kept = b"".join(struct.pack(">HB", kind, size) + bytes(size) for kind, size in sizes.items() if kind != missing)
    assert read(kept) is None
    assert Reader().read(kept) is None


@pytest.mark.parametrize(
    ("world", "east", "north"),
    # Where a vector along the first world axis points: NED and NWU begin with north, ENU with east.
    [(0x2010, 1.0, 0.0), (0x2014, 0.0, 1.0), (0x2018, 0.0, 1.0)],
)
def test_every_world_of_the_device_becomes_east_north_up(world, east, north):
    turned = matrix(np.array(read(payload(world=world)).orientation))
    assert turned @ [1.0, 0.0, 0.0] == pytest.approx([east, north, 0.0], abs=1e-7)
    up = {0x2010: 1.0, 0x2014: -1.0, 0x2018: 1.0}[world]
    assert turned @ [0.0, 0.0, 1.0] == pytest.approx([0.0, 0.0, up], abs=1e-7)


def test_the_quick_reader_says_the_same_as_the_thorough_one_whatever_the_layout():
    chance = random.Random(1)
    reader = Reader()
    for number in range(300):
        data = payload(number, chance.randrange(2**32), world=chance.choice([0x2010, 0x2014, 0x2010]),
                       acceleration=[chance.uniform(-50, 50) for _ in range(3)])  # fmt: skip
        assert reader.read(data) == read(data)


def test_the_quick_reader_notices_another_layout_of_the_same_length():
    reader = Reader()
    reader.read(payload())
    exchanged = payload().replace(b"\x40\x20\x0c", b"\x80\x20\x0c", 1)
    second = exchanged.rindex(b"\x80\x20\x0c")
    exchanged = exchanged[:second] + b"\x40\x20\x0c" + exchanged[second + 3 :]
    assert reader.read(exchanged).acceleration == (0.25, 0.5, -0.75)


def test_counter_and_time_go_on_where_they_wrap():
    clock = SensorClock(100)
    moments = [
        clock.place((65530 + step) & 0xFFFF, (2**32 - 500 + step * TICKS_100_HZ) & 0xFFFFFFFF) for step in range(20)
    ]
    assert [moment.counter for moment in moments] == list(range(20))
    assert np.diff([moment.stamp_ns for moment in moments]).tolist() == [10_000_000] * 19
    assert not any(moment.lost or moment.jumped for moment in moments)


def test_a_gap_is_counted_and_leaves_its_time_free():
    clock = SensorClock(100)
    first, second = clock.place(10, 1000), clock.place(14, 1400)
    assert (second.lost, second.counter, second.stamp_ns - first.stamp_ns) == (3, 4, 40_000_000)


@pytest.mark.parametrize("jump_s", [3600, -3600, 1, -1])
def test_a_clock_that_jumps_does_not_move_the_stamps(jump_s):
    clock = SensorClock(100)
    clock.place(0, 50_000_000)
    moments = [clock.place(step, 50_000_000 + jump_s * 10_000 + step * TICKS_100_HZ) for step in range(1, 5)]
    assert [moment.stamp_ns for moment in moments] == [(50_000_000 + step * 100) * 100_000 for step in range(1, 5)]
    assert [moment.jumped for moment in moments] == [True, False, False, False]


def test_a_device_that_started_anew_is_a_jump_and_no_loss():
    clock = SensorClock(100)
    clock.place(500, 40_000)
    moment = clock.place(0, 0)
    assert (moment.jumped, moment.lost, moment.counter) == (True, 0, 1)


def test_a_repeated_message_is_none():
    clock = SensorClock(100)
    clock.place(1, 100)
    assert clock.place(1, 100) is None
    assert clock.place(2, 200).counter == 1


def test_the_confirmed_rate_is_what_the_answer_says():
    pairs = [(0x1020, 0xFFFF), (0x1060, 0xFFFF), (0x4020, 100), (0x8020, 100)]
    assert check_layout(b"".join(struct.pack(">HH", *pair) for pair in pairs)) == 100.0


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([(0x1020, 0xFFFF), (0x1060, 0xFFFF), (0x4020, 100)], "cannot send its rate of turn"),
        ([(0x1060, 0xFFFF), (0x4020, 100), (0x8020, 100)], "cannot send its packet counter"),
        ([(0x1020, 0xFFFF), (0x1060, 0xFFFF), (0x4020, 100), (0x8020, 50)], "one rate"),
        ([(0x1020, 0xFFFF), (0x1060, 0xFFFF), (0x4020, 0), (0x8020, 0)], "one rate"),
    ],
)
def test_a_sensor_that_cannot_send_what_a_sample_needs_is_refused(pairs, said):
    with pytest.raises(DeviceDataError, match=said):
        check_layout(b"".join(struct.pack(">HH", *pair) for pair in pairs))


def test_an_answer_that_is_not_made_of_pairs_is_refused():
    with pytest.raises(DeviceDataError, match="5 bytes"):
        check_layout(bytes(5))
