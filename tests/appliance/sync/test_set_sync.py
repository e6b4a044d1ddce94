"""What a set's result says of its synchronisation, from packets as the drivers give them."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from appliance.bench.virtual_pairs import Pair, virtual_pair
from appliance.skeleton.standard import Recording, recording_of
from appliance.sync.same_motion import FAR_JOINT
from appliance.sync.set_sync import SetSync
from hal.types import ImuSample

HOST_NS = 5_000_000_000_000


@pytest.fixture(scope="module")
def pair() -> Pair:
    return virtual_pair("shoulder_abduction", seed=4, offset_s=0.0, repetitions=3)


def recorded(
    pair: Pair, segments: tuple[str, ...], hidden_s: float, gone_after_s: float = np.inf
) -> tuple[SetSync, Recording]:
    """Both devices' packets, 1 ms late and more; the camera's stamps are of hidden_s after the exposure."""
    rng = np.random.default_rng(0)
    sync = SetSync()
    sync.begin()
    host_ns = []
    for time_s in pair.recording.times:
        stamp_ns = round((time_s + hidden_s) * 1e9)
        host_ns.append(sync.frame(stamp_ns + 7 * 10**9, HOST_NS + stamp_ns + round(1e6 + rng.exponential(5e6))))
    for segment in segments:
        sensor = pair.worn[FAR_JOINT[segment]]
        for index, time_s in enumerate(sensor.times):
            if time_s < gone_after_s:
                stamp_ns = round(time_s * 1e9)
                arrival_ns = HOST_NS + stamp_ns + round(1e6 + rng.exponential(5e6))
                felt, turned = sensor.acceleration[index], sensor.angular_velocity[index]
                sync.samples([ImuSample(segment, index, stamp_ns, arrival_ns, felt, turned)])
    return sync, replace(pair.recording, times=np.array(host_ns) / 1e9)


def test_a_hidden_delay_and_what_is_left_of_it_are_told(pair: Pair) -> None:
    sync, seen = recorded(pair, ("left_forearm", "right_arm"), hidden_s=0.08)
    quality = sync.quality(seen)
    assert quality.delay_s == pytest.approx(0.08, abs=0.01)
    assert quality.error_ms is not None
    assert quality.error_ms < 10
    assert quality.kept is not None
    assert quality.kept > 0.98


def test_a_camera_alone_is_in_step_with_itself(pair: Pair) -> None:
    sync, seen = recorded(pair, (), hidden_s=0.0)
    quality = sync.quality(seen)
    assert (quality.error_ms, quality.kept, quality.delay_s) == (None, None, None)


def test_sensors_that_no_joint_ends_at_are_judged_by_their_clocks(pair: Pair) -> None:
    sync, seen = recorded(pair, (), hidden_s=0.0)
    for index, time_s in enumerate(pair.worn["head"].times):
        stamp_ns = round(time_s * 1e9)
        sync.samples([ImuSample("left_hand", index, stamp_ns, HOST_NS + stamp_ns, np.ones(3), np.ones(3))])
    quality = sync.quality(seen)
    assert quality.delay_s is None
    assert quality.error_ms is not None
    assert 0 < quality.error_ms < 20


def test_sensors_that_go_leave_fewer_frames_kept(pair: Pair) -> None:
    half = float(pair.recording.times[-1]) / 2
    sync, seen = recorded(pair, ("left_forearm",), 0.0, gone_after_s=half)
    assert sync.quality(seen).kept == pytest.approx(0.5, abs=0.03)


def test_sensors_that_were_lost_keep_nothing(pair: Pair) -> None:
    sync, seen = recorded(pair, ("left_forearm",), hidden_s=0.0)
    sync.lose_sensors()
    assert sync.quality(seen).kept == 0.0


def test_the_frame_that_begins_a_set_is_older_than_its_beginning(pair: Pair) -> None:
    sync, stamps_ns = SetSync(), [index * 10**7 for index in range(1000)]
    for index, stamp_ns in enumerate(stamps_ns):
        if index == 600:
            sync.begin()
        sync.samples([ImuSample("left_forearm", index, stamp_ns, HOST_NS + stamp_ns, np.ones(3), np.ones(3))])
    host_s = HOST_NS / 1e9 + np.array([4.0, 5.5, 5.9, 6.5])  # 6.0 s is when the set begins
    assert sync.quality(recording_of(host_s, np.zeros((4, 17, 3)))).kept == 0.75


def test_a_sensor_s_sample_takes_a_hundred_bytes() -> None:
    sync = SetSync()
    sync.begin()
    rng = np.random.default_rng(0)
    tracemalloc.start()
    try:
        for index in range(4000):
            stamp_ns, (felt, turned) = index * 10**7, rng.standard_normal((2, 3))
            sync.samples([ImuSample("left_forearm", index, stamp_ns, HOST_NS + stamp_ns, felt, turned)])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept / 4000 < 150
