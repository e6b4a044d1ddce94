"""FineRehab-style JSON: out, in again, told apart by content, and exported from a session."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from appliance.bench.virtual_pairs import virtual_pair
from appliance.errors import RecordingError
from appliance.recording.export import cuts_of_session
from appliance.recording.files import read_recording
from appliance.recording.finerehab_json import Cut, read_finerehab, write_finerehab
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.skeleton.standard import recording_of
from hal.types import SEGMENTS, ImuSample


@pytest.fixture
def cut() -> Cut:
    rng = np.random.default_rng(2)
    positions = rng.normal(size=(20, 17, 3))
    positions[4:7, 9] = np.nan
    turns = rng.normal(size=(20, 4))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    turns[3] = np.nan
    confidence = np.where(np.isfinite(positions).all(axis=2), 0.75, 0.0)
    recording = recording_of(np.arange(20) / 30, positions, confidence, gravity="accelerometer")
    return Cut("S01", "08", "left", 3, recording, {"left_forearm": turns})


def test_a_cut_comes_back_as_it_was(cut: Cut, tmp_path: Path) -> None:
    path = write_finerehab(tmp_path, cut)
    assert path.name == "S01_08+left_Cut03.json"
    found = read_finerehab(path)
    assert (found.subject, found.movement, found.side, found.number) == ("S01", "08", "left", 3)
    np.testing.assert_allclose(found.recording.positions, cut.recording.positions, atol=1e-6)
    np.testing.assert_allclose(found.recording.confidence, cut.recording.confidence)
    np.testing.assert_allclose(found.recording.times, cut.recording.times, atol=1e-6)
    np.testing.assert_allclose(found.sensors["left_forearm"], cut.sensors["left_forearm"], atol=1e-6)
    assert found.recording.gravity == "accelerometer"


def test_it_is_a_recording_whatever_its_name_is(cut: Cut, tmp_path: Path) -> None:
    path = write_finerehab(tmp_path, cut).rename(tmp_path / "skeleton.csv")
    assert len(read_recording(path)) == 20
    path.write_text("\n  " + path.read_text())
    assert len(read_recording(path)) == 20


def test_the_file_holds_stamps_ids_joints_quaternions_and_side(cut: Cut, tmp_path: Path) -> None:
    document = json.loads(write_finerehab(tmp_path, cut).read_text())
    assert (document["SubjectID"], document["MovementID"], document["SideID"]) == ("S01", "08", 0)
    frame = document["Frames"][5]
    assert frame["FrameID"] == 5
    assert frame["Timestamp"] == pytest.approx(5 / 30, abs=1e-6)
    assert [joint["JointID"] for joint in frame["Joints"]] == list(range(17))
    assert frame["Joints"][9]["Position"] is None
    assert frame["Sensors"][0]["SensorID"] == SEGMENTS.index("left_forearm")
    assert document["Frames"][3]["Sensors"][0]["Orientation"] is None


@pytest.mark.parametrize(
    ("subject", "name"),
    [("../etc/p 1", "etc-p-1"), ("", "unknown"), ("a_b+c", "a-b-c"), ("..", "unknown")],
)
def test_a_subject_cannot_lead_out_of_the_folder_or_part_the_name(cut: Cut, subject: str, name: str) -> None:
    assert replace(cut, subject=subject).file_name == f"{name}_08+left_Cut03.json"


def broken(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return apply


def test_ids_that_are_numbers_and_a_byte_order_mark_are_read(cut: Cut, tmp_path: Path) -> None:
    path = write_finerehab(tmp_path, cut)
    document = json.loads(path.read_text()) | {"SubjectID": 1, "MovementID": 8}
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert read_finerehab(path).file_name == "1_8+left_Cut03.json"
    assert len(read_recording(path)) == len(cut.recording)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text[:200], "Invalid JSON"),
        (lambda text: "{}", "Format"),
        (lambda text: "[" * 5000, "skeleton CSV"),
        (lambda text: '{"a":' * 5000, "Invalid JSON"),
        (broken(lambda d: d.update(Format="FineRehab-style 9")), "Format"),
        (broken(lambda d: d.update(SideID=3)), "SideID"),
        (broken(lambda d: d.update(Frames=[])), "Frames"),
        (broken(lambda d: d["Frames"][2].update(Timestamp=0.0)), "Frames.2.Timestamp"),
        (broken(lambda d: d["Frames"][2].update(Timestamp="soon")), "Frames.2.Timestamp"),
        (broken(lambda d: d["Frames"][19].update(Timestamp=1e5)), "two hours"),
        (broken(lambda d: d["Frames"][2]["Joints"][4].update(JointID=17)), "Frames.2.Joints.4.JointID"),
        (
            broken(lambda d: d["Frames"][2]["Joints"][4].update(JointID=3)),
            "Frames.2.Joints holds a JointID more",
        ),
        (broken(lambda d: d["Frames"][2]["Joints"][4].update(Position=[1, 2])), "Frames.2.Joints.4.Position"),
        (broken(lambda d: d["Frames"][2]["Joints"][4].update(Position=[1, 2, 1e9])), "Frames.2.Joints.4.Position"),
        (broken(lambda d: [frame.update(Joints=[]) for frame in d["Frames"]]), "no joint was seen"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(
    cut: Cut, tmp_path: Path, change: Callable[[str], str], complaint: str
) -> None:
    path = write_finerehab(tmp_path, cut)
    path.write_text(change(path.read_text()))
    with pytest.raises(RecordingError) as error:
        read_recording(path)
    assert complaint in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture
def session(tmp_path: Path, metadata: SessionMetadata) -> Path:
    """Three knee extensions; one sensor turns by 0.2 rad/s about z, its clock 3 s and its packets 1 ms behind."""
    pair = virtual_pair("seated_knee_extension", seed=1, offset_s=0.0, repetitions=3, loss=0.0)
    path = metadata.file_in(tmp_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with_file = SessionWriter.open(path, metadata)
    for time_s, positions in zip(pair.recording.times, pair.recording.positions, strict=True):
        with_file.add_skeleton(round(time_s * 1e9), round((100 + time_s) * 1e9), positions, np.ones(17))
    for index in range(round(pair.recording.times[-1] * 96)):
        angle = 0.2 * index / 96
        quaternion = np.array([np.cos(angle / 2), 0.0, 0.0, np.sin(angle / 2)])
        stamp_ns = round((index / 96 - 3) * 1e9)
        arrival_ns = round((100 + index / 96) * 1e9) + 1_000_000
        with_file.add_imu([ImuSample("head", index, stamp_ns, arrival_ns, np.zeros(3), np.zeros(3), quaternion)])
        up, turning = 9.81 * np.array([np.sin(angle), np.cos(angle), 0.0]), np.array([0.0, 0.0, 0.2])
        with_file.add_imu([ImuSample("left_calf", index, stamp_ns, arrival_ns, up, turning)])
    with_file.finish()
    return path


def test_a_session_becomes_one_cut_a_repetition(session: Path) -> None:
    cuts = list(cuts_of_session(session))
    assert [cut.number for cut in cuts] == [1, 2, 3]
    assert cuts[0].file_name == "p-17_deep-squat+left_Cut01.json"
    assert all(cut.recording.times[0] == 0.0 and cut.recording.duration_s > 2 for cut in cuts)


def test_the_sensors_orientation_is_the_one_at_the_camera_s_frame(session: Path) -> None:
    whole = read_recording(session)
    cut = next(iter(cuts_of_session(session)))
    begin = next(
        index for index in range(len(whole)) if np.array_equal(whole.positions[index], cut.recording.positions[0])
    )
    first_s = virtual_pair("seated_knee_extension", seed=1, offset_s=0.0, repetitions=3, loss=0.0).recording.times[0]
    truth = 0.2 * (first_s + whole.times[begin] + cut.recording.times)
    turns = 2 * np.arctan2(cut.sensors["head"][:, 3], cut.sensors["head"][:, 0])
    np.testing.assert_allclose(turns, truth, atol=0.002)


def test_a_sensor_that_gives_raw_signals_has_an_orientation_too(session: Path) -> None:
    for cut in cuts_of_session(session):
        given, filtered = (Rotation.from_quat(np.roll(cut.sensors[name], -1, axis=1)) for name in ("head", "left_calf"))
        up = [rotation.inv().apply([0.0, 1.0, 0.0]) for rotation in (given, filtered)]
        np.testing.assert_allclose(up[1], up[0], atol=0.02)


def test_the_command_writes_the_cuts(session: Path, tmp_path: Path) -> None:
    run = rehabbox("export", session, "--out", tmp_path / "new" / "set", "--json")
    assert run.returncode == 0, run.stderr
    files = [Path(file) for file in json.loads(run.stdout)["files"]]
    assert [file.name for file in files] == [f"p-17_deep-squat+left_Cut0{number}.json" for number in (1, 2, 3)]
    assert sorted((tmp_path / "new" / "set").iterdir()) == files


def test_sessions_collect_in_one_folder(session: Path, tmp_path: Path, command: Any) -> None:
    for _ in range(2):
        done = command("export", session, "--out", tmp_path / "set", "--json")
    files = [Path(file) for file in json.loads(done.stdout)["files"]]
    assert [(file.stem[-2:], read_finerehab(file).number) for file in files] == [("04", 4), ("05", 5), ("06", 6)]
    assert len(list((tmp_path / "set").iterdir())) == 6


def test_what_is_no_session_leaves_nothing_behind(cut: Cut, tmp_path: Path) -> None:
    other = write_finerehab(tmp_path, cut)
    run = rehabbox("export", other, "--out", tmp_path / "new")
    assert run.returncode == 2
    assert str(other) in run.stderr
    assert not (tmp_path / "new").exists()


def rehabbox(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from appliance.cli import main; main()", *map(str, arguments)]
    return subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
