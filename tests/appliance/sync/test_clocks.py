"""A device's clock is found under delayed, lost and stalled packets."""

from __future__ import annotations

import math
import pickle
import time
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.bench.simulated_clock import Line, simulated_packets
from appliance.sync.clocks import WINDOW_S, WRAPS_NS, DeviceClock, in_order, settled_ns

FLOOR_S = 0.003
"""The smallest delay of the simulated bus: nobody can tell it from the offset."""


@dataclass(frozen=True)
class Packets:
    """true: when each was really stamped, on the host's clock, s."""

    stamp_ns: NDArray[np.int64]
    arrival_ns: NDArray[np.int64]
    true: NDArray[np.float64]


def simulated(seed: int, seconds: float, rate_hz: float = 30.0, skew_ppm: float | None = None) -> Packets:
    """Offset up to 2 s, skew up to 100 ppm, exponential delay of 8 ms, a 100 ms stall now and then, 2 % lost."""
    rng = np.random.default_rng(seed)
    skew = (rng.choice([-100.0, 100.0]) if skew_ppm is None else skew_ppm) * 1e-6
    true = 50_000.0 + np.arange(int(seconds * rate_hz)) / rate_hz
    stamp = 1000.0 + (true - true[0]) * (1 - skew) + rng.uniform(-2, 2)
    arrival = true + FLOOR_S + rng.exponential(0.008, len(true))
    for begins in rng.uniform(true[0], true[-1], int(seconds / 5)):
        stalled = (arrival >= begins) & (arrival < begins + 0.1)
        arrival[stalled] = begins + 0.1
    arrival = np.maximum.accumulate(arrival)
    kept = rng.random(len(true)) >= 0.02
    return Packets(np.int64(stamp[kept] * 1e9), np.int64(arrival[kept] * 1e9), true[kept])


def mapped(clock: DeviceClock, packets: Packets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each packet mapped as it comes, and the error that the clock then claimed, ms."""
    times, errors = [], []
    for stamp, arrival in zip(packets.stamp_ns.tolist(), packets.arrival_ns.tolist(), strict=True):
        clock.update(stamp, arrival)
        times.append(clock.to_host_s(stamp))
        errors.append(clock.error_ms)
    return np.array(times), np.array(errors)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rate_hz", [30.0, 96.0])
def test_after_20_s_a_stamp_is_known_to_2_ms_beside_the_constant_floor(seed: int, rate_hz: float) -> None:
    packets = simulated(seed, 90, rate_hz)
    times, _ = mapped(DeviceClock(), packets)
    late = packets.true > packets.true[0] + 20
    error_ms = 1e3 * (times - packets.true - FLOOR_S)[late]
    assert np.sqrt(np.mean(error_ms**2)) < 1.0
    assert np.abs(error_ms).max() < 2.0


@pytest.mark.parametrize("skew_ppm", [-100.0, 0.0, 100.0])
def test_the_skew_is_found(skew_ppm: float) -> None:
    clock = DeviceClock()
    mapped(clock, simulated(1, 90, skew_ppm=skew_ppm))
    assert clock.skew_ppm == pytest.approx(skew_ppm, abs=15)


@pytest.mark.parametrize("seed", range(4))
def test_the_claimed_error_is_above_the_real_one_and_not_by_much(seed: int) -> None:
    packets = simulated(seed, 90)
    times, claimed = mapped(DeviceClock(), packets)
    late = packets.true > packets.true[0] + 20
    real = np.sqrt(np.mean((1e3 * (times - packets.true - FLOOR_S)[late]) ** 2))
    assert real < np.mean(claimed[late]) < 0.5


def test_the_claimed_error_is_unbounded_at_first_and_falls() -> None:
    _, claimed = mapped(DeviceClock(), simulated(2, 30))
    assert math.isinf(claimed[0])
    assert claimed[-1] < claimed[45]


@pytest.mark.parametrize("seed", range(4))
def test_mapped_times_always_increase_even_when_the_estimate_falls(seed: int) -> None:
    packets = simulated(seed, 60)
    packets.arrival_ns[0] += 150_000_000  # the first packet, all there is to go by, is very late
    times, _ = mapped(DeviceClock(), packets)
    assert np.all(np.diff(times) > 0)
    assert abs(times[30] - packets.true[30]) < 0.02


def test_an_older_stamp_is_never_put_after_a_newer_one() -> None:
    clock = DeviceClock()
    clock.update(0, 100_000_000)
    clock.update(10_000_000, 200_000_000)
    newer = clock.to_host_ns(10_000_000)
    clock.update(20_000_000, 21_000_000)
    assert clock.to_host_ns(5_000_000) <= newer


def test_a_stall_of_half_the_packets_moves_nothing() -> None:
    packets = simulated(3, 60)
    calm, _ = mapped(DeviceClock(), packets)
    shaken = np.where(np.arange(len(calm)) % 2 == 0, packets.arrival_ns, packets.arrival_ns + 80_000_000)
    times, _ = mapped(DeviceClock(), Packets(packets.stamp_ns, shaken, packets.true))
    late = packets.true > packets.true[0] + 20
    assert np.abs(times - calm)[late].max() < 0.002


def test_a_skew_that_changes_is_followed_within_the_window() -> None:
    before = simulated(4, 90, skew_ppm=80)
    after = simulated(5, 150, skew_ppm=-80)
    shift_stamp = before.stamp_ns[-1] - after.stamp_ns[0] + 33_000_000
    shift_s = before.true[-1] - after.true[0] + 0.033
    clock = DeviceClock()
    mapped(clock, before)
    times, _ = mapped(
        clock,
        Packets(after.stamp_ns + shift_stamp, after.arrival_ns + int(shift_s * 1e9), after.true + shift_s),
    )
    settled = after.true > after.true[0] + WINDOW_S + 10
    assert np.abs(times - after.true - shift_s - FLOOR_S)[settled].max() < 0.003
    assert clock.skew_ppm == pytest.approx(-80, abs=15)


def test_stamps_far_from_zero_lose_no_precision() -> None:
    near, far = DeviceClock(), DeviceClock()
    shift = 4 * 10**18
    for stamp, arrival in zip(
        *(column.tolist() for column in (simulated(6, 30).stamp_ns, simulated(6, 30).arrival_ns)), strict=True
    ):
        near.update(stamp, arrival)
        far.update(stamp + shift, arrival)
    assert far.to_host_ns(10**12 + shift) == near.to_host_ns(10**12)


def test_a_clock_that_was_never_updated_refuses_to_map() -> None:
    with pytest.raises(ValueError, match="updated before"):
        DeviceClock().to_host_ns(0)


def test_memory_and_cost_stay_constant() -> None:
    clock = DeviceClock()
    packets = simulated(7, 600, rate_hz=96)
    began = time.process_time()
    for stamp, arrival in zip(packets.stamp_ns.tolist(), packets.arrival_ns.tolist(), strict=True):
        clock.update(stamp, arrival)
    assert len(clock._lowest) == WINDOW_S
    assert (time.process_time() - began) / len(packets.true) < 100e-6


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate_hz", [30.0, 96.0])
def test_a_wrapped_counter_and_a_restart_cost_moments_and_no_more(seed: int, rate_hz: float) -> None:
    packets = simulated_packets(np.random.default_rng(seed), 90, rate_hz)
    assert (np.diff(packets.stamp_ns) < 0).sum() == 2
    clock = DeviceClock()
    times = np.array([map_next(clock, *packet) for packet in zip(packets.stamp_ns, packets.arrival_ns, strict=True)])
    error_ms = 1e3 * np.abs(times - packets.true_s)[packets.true_s > packets.true_s[0] + 20]
    assert np.percentile(error_ms, 99) < 5.0
    assert np.median(error_ms) < 1.0
    assert np.all(np.diff(times) > 0)
    assert clock.epochs == 2


def map_next(clock: DeviceClock, stamp_ns: int, arrival_ns: int) -> float:
    clock.update(int(stamp_ns), int(arrival_ns))
    return clock.to_host_s(int(stamp_ns))


def steady(count: int, begins_s: float = 0.0, host_s: float = 100.0, late_s: float = 0.001) -> list[tuple[int, int]]:
    """Packets at 50 Hz, stamps from begins_s on, arrivals from host_s on."""
    return [
        (round((begins_s + index / 50) * 1e9), round((host_s + index / 50 + late_s) * 1e9)) for index in range(count)
    ]


def error_after(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> float:
    """How wrong the last five of `after` are mapped, s, beyond their delay."""
    clock = DeviceClock()
    for packet in before:
        map_next(clock, *packet)
    return max([abs(map_next(clock, *packet) - packet[1] / 1e9) for packet in after][-5:])


def test_a_host_that_slept_while_the_device_went_on_is_noticed_at_once() -> None:
    assert error_after(steady(500), steady(5, begins_s=10 + 7.5, host_s=110)) < 1e-3


def test_a_device_that_stood_still_while_the_host_went_on_is_noticed_within_seconds() -> None:
    assert error_after(steady(500), steady(250, begins_s=10, host_s=110 + 7.5)) < 1e-3


@pytest.mark.parametrize("jump_s", [-3600.0, -9.0, 1.0, 86400.0])
def test_a_device_clock_that_is_set_is_followed(jump_s: float) -> None:
    assert error_after(steady(500), steady(5, begins_s=10 + jump_s, host_s=110)) < 1e-3


def test_the_skew_outlives_a_restart() -> None:
    packets = simulated_packets(np.random.default_rng(5), 90, 96.0, Line(most_skew=0.0), restart=True)
    fast = packets.stamp_ns + ((packets.true_s - packets.true_s[0]) * 80e3).astype(np.int64)
    clock = DeviceClock()
    half = np.flatnonzero(packets.true_s > packets.true_s[0] + 45 + 3)[0]
    for packet in zip(fast[:half], packets.arrival_ns[:half], strict=True):
        map_next(clock, *packet)
    assert clock.epochs == 2
    assert clock.skew_ppm == pytest.approx(-80, abs=20)


def test_late_packets_for_two_seconds_are_a_stall_and_no_new_time() -> None:
    clock = DeviceClock()
    for packet in steady(500):
        map_next(clock, *packet)
    jammed = [(stamp, 112_500_000_000 + index) for index, (stamp, _) in enumerate(steady(120, 10.0))]
    late = [map_next(clock, *packet) - (100 + packet[0] / 1e9) for packet in jammed]
    assert np.abs(late).max() < 0.005
    assert clock.epochs == 1


def test_the_claimed_error_says_when_everything_is_late() -> None:
    clock = DeviceClock()
    for packet in [*steady(500), *steady(200, 10.0, 110.0, late_s=0.101)]:
        map_next(clock, *packet)
    assert clock.error_ms == pytest.approx(100, abs=2)


def test_a_packet_that_comes_twice_or_out_of_order_changes_nothing() -> None:
    clock, calm = DeviceClock(), DeviceClock()
    for index, packet in enumerate(steady(300)):
        clock.update(*packet)
        calm.update(*packet)
        if index:
            clock.update(packet[0] - 20_000_000, packet[1] + 1_000_000)
            clock.update(packet[0], packet[1] + 5_000_000)
    assert clock.to_host_ns(10**9) == calm.to_host_ns(10**9)
    assert clock.epochs == 1


@pytest.mark.parametrize("wrap_ns", WRAPS_NS)
def test_a_counter_that_wraps_goes_on(wrap_ns: int) -> None:
    """A packet from before the wrap is overtaken by ones from after it."""
    clock = DeviceClock()
    packets = [(stamp % wrap_ns, arrival) for stamp, arrival in steady(500, begins_s=wrap_ns / 1e9 - 5, late_s=0.002)]
    overtaken = packets.pop(240)
    for packet in packets[:260]:
        map_next(clock, *packet)
    clock.update(overtaken[0], packets[260][1])
    assert max(abs(map_next(clock, *packet) - packet[1] / 1e9) for packet in packets[260:]) < 1e-3
    assert clock.epochs == 1


@pytest.mark.parametrize("seed", range(4))
def test_packets_that_overtake_each_other_are_one_device_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true = 100 + np.arange(96 * 60) / 96
    arrival = true + rng.exponential(0.008, len(true)) + 0.1 * (rng.random(len(true)) < 0.01)
    order = np.argsort(arrival)
    clock = DeviceClock()
    times = np.array([map_next(clock, *packet) for packet in 1e9 * np.stack([true - 95, arrival], axis=1)[order]])
    in_order = np.maximum.accumulate(true[order]) == true[order]
    assert np.abs(times - true[order])[in_order][96 * 20 :].max() < 0.002
    assert clock.epochs == 1


@pytest.mark.parametrize("rate_hz", [10.0, 30.0, 96.0])
def test_a_restart_while_packets_are_held_up_is_known_exactly_when_it_is_over(rate_hz: float) -> None:
    packets = simulated_packets(np.random.default_rng(3), 60, rate_hz, restart=True)
    first = int(np.flatnonzero(packets.stamp_ns == 0)[0])
    held_until = packets.arrival_ns[first] + 100_000_000
    arrival_ns = np.maximum(packets.arrival_ns, np.where(np.arange(len(packets.true_s)) < first, 0, held_until))
    clock, placed = DeviceClock(), []
    for stamp, arrival in zip(packets.stamp_ns.tolist(), arrival_ns.tolist(), strict=True):
        clock.update(stamp, arrival)
        placed.append(clock.placed(stamp))
    settled_s = settled_ns(placed) / 1e9
    assert np.abs(settled_s - packets.true_s).max() < 0.003
    assert np.all(np.diff(settled_s) > 0)


def test_stamps_that_come_twice_or_late_are_told_once_and_in_order() -> None:
    clock, placed = DeviceClock(), []
    for stamp_ms in (0, 10, 30, 20, 20, 40):
        clock.update(stamp_ms * 10**6, stamp_ms * 10**6 + 7 * 10**9)
        placed.append(clock.placed(stamp_ms * 10**6))
    times, which = in_order(placed)
    assert which.tolist() == [0, 1, 3, 2, 5]
    assert times == pytest.approx([7.00, 7.01, 7.02, 7.03, 7.04], abs=1e-3)


def test_nothing_settles_to_nothing() -> None:
    assert len(settled_ns([])) == 0


def test_a_day_with_restarts_takes_no_more_memory_than_an_hour() -> None:
    clock, sizes = DeviceClock(), []
    for hour in range(24):
        for index in range(3600):
            clock.update(index * 10**9, (hour * 3600 + index) * 10**9)
        sizes.append(len(pickle.dumps(clock)))
    assert max(sizes[1:]) <= sizes[0] + 64
