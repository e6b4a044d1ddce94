"""Kinect recordings: colour, depth and the built-in sensor put together again, and whatever is wrong said in a line."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hal.camera.kinect_mkv import KinectMkvCamera
from hal.camera.kinect_playback import PlaybackReader
from hal.camera.kinect_tracks import TrackReader, imu_records
from hal.errors import DeviceNotFoundError, HalError, StreamEndedError, UnreadableRecordingError
from hal.types import Frame

REST = (0.0, 0.0, -9.81)
STILL = (0.0, 0.0, 0.0)
MakeMkv = Callable[..., Path]


def replayed(file: Path, **options: Any) -> list[Frame]:
    camera = KinectMkvCamera(KinectMkvCamera.Options(file=file, **options))
    camera.open()
    frames = []
    try:
        while True:
            frame = camera.read(1.0)
            assert frame is not None
            frames.append(frame)
    except StreamEndedError:
        return frames
    finally:
        camera.close()


def test_pyav_and_the_makers_library_give_the_same(data: Path) -> None:
    """The real recording: colour, depth, IMU samples, stamps and calibration, bit for bit."""
    pytest.importorskip("pyk4a", reason="the maker's library is for x86-64 only")
    file = data / "azure-kinect" / "recording.mkv"
    ours, theirs = TrackReader(file), PlaybackReader(file)
    try:
        assert ours.calibration_text == theirs.calibration_text
        assert (ours.rate_hz, ours.depth_mode, ours.has_imu) == (theirs.rate_hz, theirs.depth_mode, theirs.has_imu)
        one, other = list(ours.captures()), list(theirs.captures())
    finally:
        ours.close()
        theirs.close()
    assert len(one) == len(other) == 1
    assert one[0].stamp_ns == other[0].stamp_ns == 800_222_000
    assert one[0].color == other[0].color
    assert one[0].depth is not None
    assert other[0].depth is not None
    np.testing.assert_array_equal(one[0].depth, other[0].depth)
    assert one[0].imu == other[0].imu
    assert len(one[0].imu) == 1


@pytest.mark.parametrize("reader", ["pyav", "k4a"])
def test_the_real_recording_is_a_frame_with_depth_and_up(data: Path, reader: str) -> None:
    if reader == "k4a":
        pytest.importorskip("pyk4a", reason="the maker's library is for x86-64 only")
    (frame,) = replayed(data / "azure-kinect" / "recording.mkv", reader=reader)
    assert frame.color is not None
    assert frame.depth is not None
    assert frame.up is not None
    assert frame.color.shape == (720, 1280, 3)
    assert frame.depth.shape == (720, 1280)
    assert 240 < np.median(frame.depth[450:640, 310:340]) < 270  # the mug, a quarter of a metre from the camera
    assert frame.up[1] < -0.95
    assert np.linalg.norm(frame.up) == pytest.approx(1)


def test_tracks_become_frames(make_kinect_mkv: MakeMkv) -> None:
    items: list[tuple[str, int, Any]] = []
    for index in range(4):
        at = index * 33
        items += [("IMU", at, (REST, STILL)), ("COLOR", at, 60 * index), ("DEPTH", at, 1000 + index)]
    frames = replayed(make_kinect_mkv(items))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.stamp_ns for frame in frames] == [500_000_000 + 33_000_000 * index for index in range(4)]
    for index, frame in enumerate(frames):
        assert frame.color is not None
        assert frame.depth is not None
        assert abs(float(frame.color.mean()) - 60 * index) < 2
        seen = frame.depth[frame.depth > 0]
        assert np.median(seen) == pytest.approx(np.median(frames[0].depth[frames[0].depth > 0]) + index, abs=1)
        assert len(frame.motion) == 1
        assert frame.motion[0].acceleration_stamp_ns == frame.stamp_ns


def test_a_lost_picture_is_a_gap_in_the_counter(make_kinect_mkv: MakeMkv) -> None:
    items = [(track, at, 100) for at in (0, 33, 133, 167) for track in ("COLOR", "DEPTH")]
    assert [frame.index for frame in replayed(make_kinect_mkv(items))] == [0, 1, 4, 5]


def test_depth_of_another_moment_is_not_put_on_a_picture(make_kinect_mkv: MakeMkv) -> None:
    """The second depth picture is missing; its colour stays alone, the third finds its own again."""
    items = [("COLOR", 0, 50), ("DEPTH", 2, 1000), ("COLOR", 33, 50), ("COLOR", 67, 50), ("DEPTH", 65, 3000)]
    items += [("COLOR", 100, 50), ("DEPTH", 100, 3000)]
    frames = replayed(make_kinect_mkv(items))
    assert [frame.depth is not None for frame in frames] == [True, False, True, True]


def test_up_follows_gravity_and_ignores_a_bump(make_kinect_mkv: MakeMkv) -> None:
    """The made-up sensor's -z is 5 degrees off the colour camera's up; a knock of 3 g is not gravity."""
    items: list[tuple[str, int, Any]] = []
    for index in range(3):
        felt = (30.0, 0.0, 0.0) if index == 1 else REST
        items += [("IMU", index * 33, (felt, STILL)), ("COLOR", index * 33, 0), ("DEPTH", index * 33, 900)]
    frames = replayed(make_kinect_mkv(items))
    assert frames[0].up is not None
    np.testing.assert_array_equal(frames[0].up, frames[2].up)
    assert frames[0].up[1] < -0.95


def test_a_replay_in_real_time_takes_its_time(make_kinect_mkv: MakeMkv) -> None:
    file = make_kinect_mkv([(track, at, 100) for at in (0, 100) for track in ("COLOR", "DEPTH")])
    camera = KinectMkvCamera(KinectMkvCamera.Options(file=file, realtime=True))
    camera.open()
    first = camera.read(1.0)
    assert first is not None
    assert camera.read(0.01) is None
    second = camera.read(1.0)
    assert second is not None
    assert second.arrival_ns - first.arrival_ns > 80_000_000
    camera.close()


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"K4A_START_OFFSET_NS": "soon"}, "soon"),
        ({"K4A_START_OFFSET_NS": "-5"}, "out of range"),
        ({"K4A_CALIBRATION_FILE": "other.json"}, "holds no other.json"),
    ],
)
def test_a_wrong_head_is_named(make_kinect_mkv: MakeMkv, tags: dict[str, str], words: str) -> None:
    file = make_kinect_mkv([("COLOR", 0, 100), ("DEPTH", 0, 1000)], **tags)
    with pytest.raises(UnreadableRecordingError, match=words) as refused:
        replayed(file)
    assert str(file) in str(refused.value)


def test_a_recording_without_a_picture_is_refused(make_kinect_mkv: MakeMkv) -> None:
    with pytest.raises(UnreadableRecordingError, match="no picture in it"):
        replayed(make_kinect_mkv([("IMU", 0, (REST, STILL)), ("DEPTH", 0, 1000)]))


@pytest.mark.parametrize("reader", ["pyav", "k4a"])
def test_a_missing_file_is_said(tmp_path: Path, reader: str) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"gone\.mkv: no such file"):
        replayed(tmp_path / "gone.mkv", reader=reader)


def test_imu_records_are_read_as_the_recorder_wrote_them() -> None:
    packet = struct.pack("<Q3fQ3f", 5, 1, 2, 3, 6, 4, 5, 6) * 2
    first, second = imu_records(packet)
    assert first == second
    assert (first.acceleration_stamp_ns, first.acceleration) == (5, (1, 2, 3))
    assert (first.turn_stamp_ns, first.turn) == (6, (4, 5, 6))
    assert len(imu_records(packet[:-1])) == 1
    assert imu_records(b"") == []


def test_any_bytes_are_whole_records_or_nothing() -> None:
    rng = np.random.default_rng(78)
    for _ in range(2000):
        packet = rng.bytes(int(rng.integers(0, 200)))
        for record in imu_records(packet):
            assert 0 <= record.acceleration_stamp_ns < 1 << 62
            assert isinstance(record.plausible, bool)
        assert len(imu_records(packet)) <= len(packet) // 40


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_an_impossible_sample_is_dropped(make_kinect_mkv: MakeMkv, value: float) -> None:
    items = [("IMU", 0, ((value, 0, 0), STILL)), ("IMU", 1, (REST, STILL)), ("COLOR", 2, 9), ("DEPTH", 2, 900)]
    (frame,) = replayed(make_kinect_mkv(items))
    assert len(frame.motion) == 1


def test_damaged_recordings_raise_only_the_trees_errors(make_kinect_mkv: MakeMkv, tmp_path: Path) -> None:
    """Cut, flipped and overwritten at random places, a third of them in the head. Longer: REHABBOX_FUZZ=n."""
    items: list[tuple[str, int, Any]] = []
    for index in range(3):
        items += [("IMU", index * 33, (REST, STILL)), ("COLOR", index * 33, 90), ("DEPTH", index * 33, 900)]
    whole = make_kinect_mkv(items).read_bytes()
    rng = np.random.default_rng(77)
    file = tmp_path / "damaged.mkv"
    outcomes = {"read": 0, "refused": 0}
    for _ in range(int(os.environ.get("REHABBOX_FUZZ", "80"))):
        raw = bytearray(whole)
        within = 6000 if rng.random() < 0.6 else len(raw)
        for _ in range(int(rng.integers(1, 30))):
            raw[int(rng.integers(within))] = int(rng.integers(256))
        if rng.random() < 0.3:
            raw = raw[: int(rng.integers(1, len(raw)))]
        file.write_bytes(raw)
        try:
            reader = TrackReader(file)
        except HalError:
            outcomes["refused"] += 1
            continue
        assert len(list(reader.captures())) <= 9
        reader.close()
        outcomes["read"] += 1
    assert outcomes["read"] > 3
    assert outcomes["refused"] > 3
