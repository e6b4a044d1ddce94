"""Orientation from raw signals points up where gravity does, survives loss and bias; devices' own are believed."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from appliance.fusion.orientation import OrientationFilter, SensorTrack, sensor_tracks
from hal.types import ImuSample

RATE_HZ = 100.0


def raw(turns, times, bias=(0.0, 0.0, 0.0)):
    rate = (turns[:-1].inv() * turns[1:]).as_rotvec() * RATE_HZ
    return turns.inv().apply([0.0, 9.81, 0.0]), np.vstack([rate[:1], rate]) + bias


def swinging(seconds):
    """A limb at rest for 3 s that then swings by 60 degrees about two axes."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    swing = np.where(times < 3.0, 0.0, np.sin(1.5 * (times - 3.0)))
    return times, Rotation.from_euler("xz", np.stack([60 * swing, 25 * swing], axis=1), degrees=True)


def tilt_deg(orientation, turns):
    up = Rotation.from_quat(np.roll(orientation, -1, axis=1)).inv().apply([0.0, 1.0, 0.0])
    cosine = (up * turns.inv().apply([0.0, 1.0, 0.0])).sum(axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def heading_error_deg(orientation, turns):
    """How much the world's heading wandered, at most."""
    off = Rotation.from_quat(np.roll(orientation, -1, axis=1)) * turns.inv()
    x, _, z = off.apply([1.0, 0.0, 0.0]).T
    return float(np.degrees(np.ptp(np.unwrap(np.arctan2(-z, x)))))


def test_up_is_y_and_a_biased_gyroscope_hardly_turns_the_heading():
    times, turns = swinging(20.0)
    acceleration, angular_velocity = raw(turns, times, bias=np.radians([0.5, -0.5, 0.5]))
    orientation = OrientationFilter(RATE_HZ).update(times, acceleration, angular_velocity)
    settled = times > 2.0
    assert tilt_deg(orientation[settled], turns[settled]).max() < 2.0
    assert heading_error_deg(orientation[settled], turns[settled]) < 2.0  # unaided it would be 9


def test_pieces_give_what_the_whole_gives():
    times, turns = swinging(6.0)
    signals = raw(turns, times)
    whole = OrientationFilter(RATE_HZ).update(times, *signals)
    pieces = OrientationFilter(RATE_HZ)
    cuts = (slice(0, 1), slice(1, 200), slice(200, None))
    parts = [pieces.update(times[cut], *(signal[cut] for signal in signals)) for cut in cuts]
    np.testing.assert_allclose(np.vstack(parts), whole, atol=1e-12)


def test_lost_samples_do_not_slow_the_turn():
    times, turns = swinging(8.0)
    kept = np.random.default_rng(1).random(len(times)) > 0.1
    signals = raw(turns, times)
    orientation = OrientationFilter(RATE_HZ).update(times[kept], *(signal[kept] for signal in signals))
    assert tilt_deg(orientation, turns[kept])[100:].max() < 2.0
    assert heading_error_deg(orientation[100:], turns[kept][100:]) < 3.0


def sample(stamp_ns, orientation=None, acceleration=(0.0, 9.81, 0.0), segment="left_arm"):
    return ImuSample(segment, 0, stamp_ns, stamp_ns, np.array(acceleration), np.zeros(3), orientation)


def timed(samples):
    return [(given.stamp_ns / 1e9, given) for given in samples]


def test_a_devices_own_orientation_is_believed_even_without_raw_signals():
    turned = Rotation.from_euler("y", 30, degrees=True)
    quaternion = np.roll(turned.as_quat(), 1)
    samples = [sample(k * 10_000_000, quaternion, (np.nan,) * 3) for k in reversed(range(50))]
    track = sensor_tracks(timed([*samples, samples[0]]))["left_arm"]
    assert len(track.times) == 50
    np.testing.assert_allclose(track.at(np.array([0.103]))[0], turned.as_matrix(), atol=1e-12)


def test_raw_signals_are_filtered_and_a_sensor_that_says_nothing_is_left_out():
    given = [sample(k * 10_000_000) for k in range(300)]
    given += [sample(k * 10_000_000, None, (np.nan,) * 3, "right_arm") for k in range(300)]
    tracks = sensor_tracks(timed(given))
    assert list(tracks) == ["left_arm"]
    up = tracks["left_arm"].at(np.array([2.5]))[0] @ [0.0, 1.0, 0.0]
    np.testing.assert_allclose(up, [0.0, 1.0, 0.0], atol=1e-3)


def test_a_track_says_nothing_in_a_gap_nor_outside():
    times = np.concatenate([np.arange(10), np.arange(60, 70)]) / 100.0
    track = SensorTrack(times, np.tile([1.0, 0.0, 0.0, 0.0], (20, 1)))
    known = np.isfinite(track.at(np.array([-0.01, 0.05, 0.3, 0.65, 0.8]))).all(axis=(1, 2))
    assert known.tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("rate_hz", [50.0, 96.0, 400.0])
def test_the_rate_is_read_from_the_stamps(rate_hz):
    turns = Rotation.from_euler("x", np.linspace(0, 80, int(2 * rate_hz))[:, None], degrees=True)
    rate = np.radians(80) / 2
    samples = [
        ImuSample("head", 0, round(k / rate_hz * 1e9), 0, felt, np.array([rate, 0.0, 0.0]))
        for k, felt in enumerate(turns.inv().apply([0.0, 9.81, 0.0]))
    ]
    track = sensor_tracks(timed(samples))["head"]
    assert tilt_deg(track.orientation, turns).max() < 1.5
