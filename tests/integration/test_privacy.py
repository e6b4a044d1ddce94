"""A box that watches a real film: no picture of it is written anywhere, and there is no way to a microphone."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader

from appliance.bench.film import write_film
from appliance.pose import record_pose
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from hal.camera.video import FORMATS
from hal.indicator.signals import SIGNALS, STEADY
from hal.registry import build_camera, build_pose

PROJECT = Path(__file__).parents[2]
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM\x36\x00", b"ftypisom", b"\x1aE\xdf\xa3", b"RIFF")
"""How files of pictures and films begin: JPEG, PNG, GIF, BMP, MP4, Matroska, WebP and AVI."""
FRAME_HZ = 10
LARGEST = 2000
"""Bytes of a record: a frame's joints take some hundred, its picture as JPEG some ten thousand."""
MICROPHONES = ("sounddevice", "pyaudio", "alsaaudio", "soundcard", "pulsectl", "speech_recognition", "pvrecorder")
SOUND_LIBRARIES = re.compile(r"lib(asound|portaudio|pulse|pipewire|jack|soundio|openal)[.\w-]*\.so")
OPENED = re.compile(r'open\w*\([^"]*"([^"]+)", ([A-Z_|]+)')


@pytest.fixture
def filmed(ward: Any, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A film of a squat, and the exercise that is compared with what the network sees in it."""
    film = tmp_path / "film.mp4"
    write_film(film, "squat", "both", 1, FRAME_HZ, tempo=2.0)
    camera, pose = build_camera({"driver": "video", "file": str(film)}), build_pose({"driver": "mediapipe"})
    camera.open()
    pose.open()
    seen = record_pose(camera, pose)
    camera.close()
    pose.close()
    reference = ward.folder / "references" / "film.csv.gz"
    reference.parent.mkdir()
    write_skeleton_csv(reference, seen.recording)
    digest = digest_of(reference)
    return film, {"id": "squat", "side": "both", "repetitions": 1, "reference": digest, "paced": False}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_box_that_films_opens_no_microphone_and_writes_no_picture(
    ward: Any, hospital: Any, tmp_path: Path, filmed: tuple[Path, dict[str, Any]]
) -> None:
    film, exercise = filmed
    calls = tmp_path / "calls"
    box = ward.start(
        camera={"driver": "video", "file": str(film), "realtime": True}, pose={"driver": "mediapipe"},
        indicator={"driver": "silent"}, session=ward.session(announce_s=0.0),
    )  # fmt: skip
    command = ["strace", "-f", "--seccomp-bpf", "-e", "trace=open,openat,openat2,creat", "-o", str(calls)]
    tracer = subprocess.Popen([*command, "-p", str(box.process.pid)], stderr=subprocess.DEVNULL)
    try:
        hospital.prescribe([exercise])
        hospital.wait(lambda heard: any(message["state"] == "recording" for message in heard.of("session")))
        mapped = Path(f"/proc/{box.process.pid}/maps").read_text()
        hospital.wait(lambda heard: bool(heard.of("result")))
        assert box.stop() == 0, box.log
    finally:
        tracer.terminate()
        tracer.wait()

    assert "mediapipe" in mapped
    # FFmpeg, in PyAV's wheel, is linked with ALSA for its input devices; we name the formats of files that it may read.
    assert not [line for line in mapped.splitlines() if SOUND_LIBRARIES.search(line) and "/av.libs/" not in line]
    opened = OPENED.findall(calls.read_text("utf-8", "replace"))
    assert any(name == str(film) for name, _ in opened), "the tracer saw the film being opened"
    assert not [name for name, _ in opened if name.startswith(("/dev/snd", "/dev/dsp", "/dev/audio"))]
    written = {name for name, how in opened if "O_WRONLY" in how or "O_RDWR" in how}
    own = str(ward.folder / "state")
    written = {name for name in written if not name.endswith("__pycache__")}  # where numba looks whether it may write
    assert any("squat.mcap" in name for name in written)
    assert not [name for name in written if not name.startswith((own, "/dev/null", "/proc/self"))], written
    (result,) = hospital.of("result")
    assert result["status"] == "scored"
    assert_no_picture(ward.folder / "state")


def assert_no_picture(state: Path) -> None:
    """In no file, nor in any message of a session file, whose records are those of joints, sensors and events alone."""
    for file in (file for file in state.rglob("*") if file.is_file()):
        held = [file.read_bytes()]
        if file.suffix == ".mcap":
            with file.open("rb") as stream:
                messages = list(make_reader(stream).iter_messages())
            topics = {channel.topic for _, channel, _ in messages}
            assert {topic for topic in topics if not topic.startswith("/imu/")} <= {
                "/skeleton",
                "/events",
                "/placement",
            }
            assert max(len(message.data) for _, channel, message in messages if channel.topic == "/skeleton") < LARGEST
            held = [message.data for _, _, message in messages]
        for data in held:
            assert not [begin for begin in PICTURES if data.startswith(begin)], file


@pytest.mark.parametrize("module", MICROPHONES)
def test_no_library_that_could_listen_is_installed(module: str) -> None:
    assert importlib.util.find_spec(module) is None


def test_no_code_starts_a_recorder_or_imports_one() -> None:
    for file in [*(PROJECT / "appliance").rglob("*.py"), *(PROJECT / "hal").rglob("*.py")]:
        text = file.read_text()
        assert not re.search(r"\b(arecord|parecord|pw-record|ffmpeg -f alsa)\b", text), file
        tree = ast.walk(ast.parse(text))
        names = {
            name.split(".")[0]
            for node in tree
            for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
            + ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        }
        assert not names & set(MICROPHONES), file


def test_ffmpeg_is_asked_for_files_only() -> None:
    opened = [line for folder in ("appliance", "hal") for file in (PROJECT / folder).rglob("*.py")
              for line in re.findall(r"av\.open\((.*?)\n *\)", file.read_text(), re.DOTALL)]  # fmt: skip
    assert len(opened) == 2
    assert all("format=" in line for line in opened)
    assert not {"alsa", "pulse", "jack", "oss", "sndio", "openal"} & set(FORMATS.split(","))


def test_the_boxs_user_may_play_sound_and_not_record_it() -> None:
    rules = (PROJECT / "systemd" / "60-rehabbox.rules").read_text()
    (sound,) = [line for line in rules.splitlines() if line.startswith('SUBSYSTEM=="sound"')]
    assert 'KERNEL=="pcmC*D*p|controlC*"' in sound, "pcmC*D*c is what records"


def test_the_boxs_own_light_is_steadily_on_while_it_records() -> None:
    signal = SIGNALS["recording"]
    assert signal.rhythm == STEADY
    assert max(signal.colour) == 1.0
    assert [cue for cue in SIGNALS if SIGNALS[cue].rhythm == STEADY] == ["recording"]
