"""A video replayed as a camera: the file's own times, one clear error for whatever is no video."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from hal.camera.video import VideoCamera
from hal.errors import DeviceNotFoundError, StreamEndedError, UnreadableRecordingError
from hal.types import Frame

MakeVideo = Callable[..., Path]
UNEVEN_MS = (0, 40, 50, 200, 1000)


def opened(file: Path, *, realtime: bool = False) -> VideoCamera:
    camera = VideoCamera(VideoCamera.Options(file=file, realtime=realtime))
    camera.open()
    return camera


def all_frames(camera: VideoCamera) -> list[Frame]:
    frames = []
    while True:
        try:
            frame = camera.read(5.0)
        except StreamEndedError:
            return frames
        assert frame is not None
        frames.append(frame)


def test_stamps_are_the_files_own_even_at_a_variable_rate(make_video: MakeVideo) -> None:
    frames = all_frames(opened(make_video(UNEVEN_MS)))
    assert [frame.stamp_ns for frame in frames] == [ms * 1_000_000 for ms in UNEVEN_MS]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]


def test_pictures_come_in_order_as_rgb(make_video: MakeVideo) -> None:
    frames = all_frames(opened(make_video(range(0, 1000, 100))))
    for index, frame in enumerate(frames):
        assert frame.color is not None
        assert frame.color.dtype == np.uint8
        assert frame.color.shape == (48, 64, 3)
        assert abs(float(frame.color[30:, 40:].mean()) - 8 * index) < 4
        assert frame.color[:20, :28].mean() > 240


def test_an_unpaced_replay_arrives_at_the_time_it_stands_for(make_video: MakeVideo) -> None:
    before_ns = time.monotonic_ns()
    camera = opened(make_video(UNEVEN_MS))
    frames = all_frames(camera)
    assert before_ns <= frames[0].arrival_ns <= time.monotonic_ns()
    lags = {frame.arrival_ns - frame.stamp_ns for frame in frames}
    assert len(lags) == 1
    assert time.monotonic_ns() - before_ns < 900_000_000


def test_a_paced_replay_delivers_each_frame_when_it_is_due(make_video: MakeVideo) -> None:
    camera = opened(make_video((0, 100, 200)), realtime=True)
    first = camera.read(1.0)
    assert first is not None
    assert camera.read(0.001) is None
    rest = all_frames(camera)
    assert [frame.index for frame in rest] == [1, 2]
    assert rest[-1].arrival_ns - first.arrival_ns >= 150_000_000
    assert all(frame.arrival_ns <= time.monotonic_ns() for frame in rest)


def test_it_can_be_closed_twice_and_played_again(make_video: MakeVideo) -> None:
    camera = opened(make_video(UNEVEN_MS))
    assert len(all_frames(camera)) == 5
    camera.close()
    camera.close()
    with pytest.raises(StreamEndedError):
        camera.read(0.1)
    camera.open()
    assert [frame.index for frame in all_frames(camera)] == [0, 1, 2, 3, 4]


def test_a_replay_says_that_it_is_one(make_video: MakeVideo) -> None:
    info = opened(make_video(range(0, 1000, 40))).info
    assert info.synthetic
    assert info.name == "video.mp4"
    assert info.rate_hz == pytest.approx(25, rel=0.05)


@pytest.mark.parametrize(("turn", "row", "column"), [(90, 1, 0), (-90, 0, 1), (180, 1, 1)])
def test_a_video_filmed_sideways_is_turned_upright(make_video: MakeVideo, turn: int, row: int, column: int) -> None:
    """Turned 90 degrees counterclockwise, the white top left quarter is at the bottom left."""
    frame = opened(make_video((0, 40), rotation=turn)).read(1.0)
    assert frame is not None
    assert frame.color is not None
    assert frame.color.shape == ((48, 64, 3) if turn == 180 else (64, 48, 3))
    height, width = frame.color.shape[:2]
    quarters = frame.color.reshape(2, height // 2, 2, width // 2, 3).mean(axis=(1, 3, 4))
    assert np.argwhere(quarters > 200).tolist() == [[row, column]]


def test_a_video_cut_short_gives_the_frames_that_exist(make_video: MakeVideo) -> None:
    whole = make_video(range(0, 1000, 40), front=True)
    frames = len(all_frames(opened(whole)))
    cut = whole.with_name("cut.mp4")
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert 0 < len(all_frames(opened(cut))) < frames == 25


def cut_before_its_index(make_video: MakeVideo, folder: Path) -> Path:
    whole = make_video(range(0, 1000, 40))
    file = folder / "cut.mp4"
    file.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return file


def bytes_as(name: str, data: bytes) -> Callable[[MakeVideo, Path], Path]:
    def make(_: MakeVideo, folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def sound_only(_: MakeVideo, folder: Path) -> Path:
    file = folder / "sound.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (bytes_as("video.mp4", b""), "is empty"),
        (bytes_as("video.mp4", bytes(range(256)) * 40), "not a video"),
        (bytes_as("notes.txt", b"squat, squat, squat\n" * 200), "not a video"),
        (bytes_as("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nvideo.mp4\n"), "not a video"),
        (cut_before_its_index, "cut short"),
        (sound_only, "no video"),
        (lambda _, folder: folder, "not a regular file"),
    ],
    ids=["empty", "binary", "text", "playlist", "cut", "sound", "folder"],
)
def test_what_is_no_video_is_one_clear_line(
    make_video: MakeVideo, tmp_path: Path, make: Callable[[MakeVideo, Path], Path], words: str
) -> None:
    file = make(make_video, tmp_path)
    with pytest.raises(UnreadableRecordingError, match=words) as raised:
        opened(file)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_a_device_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"nowhere\.mp4: no such file"):
        opened(tmp_path / "nowhere.mp4")


def test_the_real_recording_has_its_65_frames_at_5_hz(data: Path) -> None:
    camera = opened(data / "video" / "squats.mp4")
    frames = all_frames(camera)
    assert len(frames) == 65
    assert {round(step / 1e6) for step in np.diff([frame.stamp_ns for frame in frames])} == {200}
    assert camera.info.rate_hz == 5
