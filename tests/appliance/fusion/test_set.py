"""A whole set, from the packets of camera and sensors to a recording without the gap."""

import numpy as np

from appliance.bench.virtual_pairs import virtual_pair
from appliance.skeleton.standard import INDEX, recording_of
from appliance.sync.same_motion import FAR_JOINT
from appliance.sync.set_sync import SetSync
from hal.types import ImuSample

ARM = [INDEX["left_elbow"], INDEX["left_wrist"]]


def test_an_arm_hidden_in_the_middle_is_filled_across_clocks_and_a_hidden_delay():
    """Sensors turned at random, clocks seconds apart; what the camera stamps is 80 ms old."""
    pair = virtual_pair("shoulder_abduction", seed=4, offset_s=0.0, repetitions=3)
    sync = SetSync()
    sync.begin()
    late_ns = np.round((pair.recording.times + 0.08) * 1e9).astype(int).tolist()
    host_ns = np.array([sync.frame(stamp_ns + 7 * 10**9, stamp_ns + 10**12) for stamp_ns in late_ns])
    for segment in ("upper_back", "left_arm", "left_forearm", "right_forearm"):
        worn = pair.worn[FAR_JOINT[segment]]
        for index, time_s in enumerate(worn.times):
            stamp_ns = round(time_s * 1e9)
            given = ImuSample(
                segment, index, stamp_ns, stamp_ns + 10**12, worn.acceleration[index], worn.angular_velocity[index]
            )
            sync.samples([given])
    times, whole = pair.recording.times, pair.recording.positions
    gone = np.abs(times - times[len(times) // 2]) < 1.0
    positions = whole.copy()
    positions[gone[:, None] & np.isin(np.arange(17), ARM)] = np.nan
    seen = recording_of(host_ns / 1e9, positions)
    quality = sync.quality(seen)
    fused = sync.fused(seen, quality.delay_s)
    assert np.array_equal(fused.recording.times, seen.times)
    assert fused.filled[gone][:, ARM].all()
    off = np.linalg.norm(fused.recording.positions - whole, axis=2)[gone][:, ARM]
    assert off.mean() < 0.05  # the camera's own 1 cm of noise is in it


def test_a_set_without_sensors_is_left_as_it_is():
    pair = virtual_pair("squat", seed=1, offset_s=0.0)
    sync = SetSync()
    sync.begin()
    fused = sync.fused(pair.recording, None)
    assert np.array_equal(fused.recording.positions, pair.recording.positions)
    assert fused.filled_share == 0.0
