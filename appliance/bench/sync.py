"""Synchronisation against the truth: device clocks, refinement by motion, and what both cost."""

from __future__ import annotations

import math
import pickle
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.bench.rows import Row
from appliance.bench.simulated_clock import Packets, simulated_packets
from appliance.bench.virtual_pairs import CAMERA_HZ, SENSOR_HZ, virtual_pair
from appliance.sync.clocks import DeviceClock, settled_ns
from appliance.sync.equal_stamps import equal_stamps
from appliance.sync.grid import orientations_at, values_at
from appliance.sync.refine import refine
from hal.virtual.movements import MOVEMENTS

Floats = NDArray[np.float64]

SECONDS = 120.0
SETTLED_S = 20.0
STREAMS = 12
HIDDEN_S = 0.08
TAKES = 3
MOST_ERROR_MS = 8.0
MOST_RATE_ERROR = 0.03


def run() -> list[Row]:
    """All rows; about a minute on a slow core."""
    return [*_clocks(), *_refinement(), *_pairs(), _cost(), _memory()]


def _clocks() -> list[Row]:
    live, settled, late, kept, equal = [], [], [], [], []
    for seed in range(STREAMS):
        rng = np.random.default_rng(seed)
        camera = simulated_packets(rng, SECONDS, CAMERA_HZ, restart=seed % 2 == 0)
        sensor = simulated_packets(rng, SECONDS, SENSOR_HZ)
        camera_s, sensor_s = mapped(camera), mapped(sensor)
        for packets, times in ((camera, camera_s), (sensor, sensor_s)):
            after = packets.true_s > packets.true_s[0] + SETTLED_S
            error_ms = 1e3 * (times - packets.true_s)[after]
            live.append(float(np.sqrt(np.mean(error_ms**2))))
            late.append(float(np.percentile(np.abs(error_ms), 99)))
            settled.append(float(np.sqrt(np.mean((1e3 * (settled_times(packets) - packets.true_s)[after]) ** 2))))
        together = values_at(sensor_s, sensor.true_s[:, None], camera_s)
        kept.append(float(np.isfinite(together).mean()))
        equal.append(len(equal_stamps(camera.stamp_ns / 1e9, sensor.stamp_ns / 1e9)[0]) / len(camera_s))
    return [
        Row(f"mapped stamps, RMS error after 20 s, {2 * STREAMS} streams", _rms(live), "ms", 2.0),
        Row("mapped stamps, RMS error, worst stream: one restarts while packets are held up", max(live), "ms"),
        Row("mapped stamps, RMS error, worst stream when the set is over", max(settled), "ms", 2.0),
        Row("mapped stamps, error 99 % of the time after 20 s, worst stream", max(late), "ms", 5.0),
        Row(
            "camera frames kept, worst stream",
            min(kept),
            "share",
            0.995,
            at_most=False,
            peer_name="FineRehab's equation (1)",
            peer=float(np.mean(equal)),
        ),
    ]


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def mapped(packets: Packets) -> Floats:
    """(n,) seconds: each packet put on the host's clock as it comes."""
    clock = DeviceClock()
    times = []
    for stamp_ns, arrival_ns in zip(packets.stamp_ns.tolist(), packets.arrival_ns.tolist(), strict=True):
        clock.update(stamp_ns, arrival_ns)
        times.append(clock.to_host_s(stamp_ns))
    return np.array(times)


def settled_times(packets: Packets) -> Floats:
    """(n,) seconds: as `mapped`, by what is known a little later."""
    clock, placed = DeviceClock(), []
    for stamp_ns, arrival_ns in zip(packets.stamp_ns.tolist(), packets.arrival_ns.tolist(), strict=True):
        clock.update(stamp_ns, arrival_ns)
        placed.append(clock.placed(stamp_ns))
    return settled_ns(placed) / 1e9


def _refinement() -> list[Row]:
    """The delay hidden from arrival times, from one repetition; each movement is done by several patients."""
    rows, within = [], []
    for number, exercise in enumerate(MOVEMENTS):
        errors = []
        for take in range(TAKES):
            hidden_s = HIDDEN_S + 0.003 * take
            pair = virtual_pair(exercise, seed=100 * number + take, offset_s=hidden_s)
            found = refine(pair.recording, pair.worn, find_skew=False)
            errors.append(math.inf if found.offset_s is None else 1e3 * abs(found.offset_s - hidden_s))
        within += [error <= MOST_ERROR_MS for error in errors]
        name = f"hidden delay of 80 ms, {exercise}, worst of {TAKES} takes"
        rows.append(Row(name, float(np.max(errors)), "ms", MOST_ERROR_MS))
    return [*rows, Row("hidden delay of 80 ms, takes within 8 ms", float(np.mean(within)), "share", 0.97, False)]


def _pairs() -> list[Row]:
    """One sensor on the forearm, five repetitions, trackers of several qualities; rates as told, and not."""
    rng = np.random.default_rng(0)
    errors: dict[float, list[float]] = {0.0: [], MOST_RATE_ERROR: []}
    for seed, exercise in enumerate(("shoulder_abduction", "supine_elbow_flexion", "seated_shoulder_flexion") * 4):
        offset_s = rng.uniform(-1.5, 1.5)
        pair = virtual_pair(exercise, 100 + seed, offset_s, repetitions=5, noise_m=rng.uniform(0.005, 0.025))
        worn = pair.worn["left_wrist"]
        for most, found_errors in errors.items():
            # camera time = (1 + skew) (what the file says) + offset
            told = replace(worn, times=worn.times / (1.0 + rng.uniform(-most, most)))
            found = refine(pair.recording, {"left_wrist": told})
            found_errors.append(math.inf if found.offset_s is None else 1e3 * abs(found.offset_s - offset_s))
    return [
        Row(
            f"forearm sensor within 1.5 s, rate off by up to {most:.0%}, median error", float(np.median(of)), "ms", 25.0
        )
        for most, of in errors.items()
    ]


def _cost() -> Row:
    """A minute of a camera and seventeen sensors: clocks as packets come, refinement and grid when the set is over."""
    rng = np.random.default_rng(1)
    seconds = 60.0
    camera = simulated_packets(rng, seconds, CAMERA_HZ, restart=False)
    sensors = [simulated_packets(rng, seconds, SENSOR_HZ, restart=False) for _ in range(17)]
    pair = virtual_pair("shoulder_abduction", seed=1, offset_s=HIDDEN_S, repetitions=12)
    orientations = [rng.standard_normal((len(packets.true_s), 4)) for packets in sensors]
    began = time.process_time()
    camera_s = mapped(camera)
    sensor_s = [mapped(packets) for packets in sensors]
    refine(pair.recording, pair.worn, find_skew=False)
    for times, orientation in zip(sensor_s, orientations, strict=True):
        orientations_at(times, orientation, camera_s)
    return Row("one core, 1 camera and 17 sensors", 100.0 * (time.process_time() - began) / seconds, "%", 3.0)


def _memory() -> Row:
    clock = DeviceClock()
    for hour in range(24):
        packets = simulated_packets(np.random.default_rng(hour), 3600.0, 10.0)
        for stamp_ns, arrival_ns in zip(packets.stamp_ns.tolist(), packets.arrival_ns.tolist(), strict=True):
            clock.update(stamp_ns, arrival_ns + hour * 3600 * 10**9)
    return Row("a clock's state after 24 h", len(pickle.dumps(clock)) / 1024, "KiB", 8.0)
