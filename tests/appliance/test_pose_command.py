"""`rehabbox pose`: what a person types, what comes out, and one clear line for what cannot be done."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.recording.skeleton_csv import read_skeleton_csv
from appliance.skeleton.adapters import standard_from
from appliance.skeleton.standard import INDEX

Array = NDArray[np.float64]
LIMBS = list(range(5, 17))


def rehabbox_pose(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from appliance.cli import main; main()", "pose", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def centred(positions: Array) -> Array:
    """Pelvis at the origin, and turned about y so that the hips' axis of the first second (5 frames) is +x."""
    positions = positions - positions[:, :1]
    axis = np.nanmedian((positions[:, INDEX["left_hip"]] - positions[:, INDEX["right_hip"]])[:5], axis=0)
    angle = np.arctan2(axis[2], axis[0])
    cosine, sine = np.cos(angle), np.sin(angle)
    return positions @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])


def empty_room(file: Path) -> Path:
    """Ten frames of coloured noise over a gradient."""
    noise = np.random.default_rng(4)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        ramp = np.linspace(0, 180, 320)[None, :, None]
        for index in range(10):
            picture = (ramp + noise.uniform(0, 60, (240, 320, 3))).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def test_the_real_squats_agree_with_another_implementation(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.csv.gz"
    done = rehabbox_pose(data / "video" / "squats.mp4", "--out", out, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["frames"] == 65
    assert answer["seen"] >= 62
    assert answer["fps"] == 5
    assert sum(answer["reasons"].values()) == answer["frames"] - answer["seen"]

    ours = read_skeleton_csv(out)
    np.testing.assert_allclose(ours.times, np.arange(65) / 5)
    theirs = json.loads((data / "video" / "squats.landmarks-world.json").read_text())
    other, _ = standard_from("mediapipe_33", np.array(theirs)[:, :, :3])
    error = np.linalg.norm(centred(ours.positions) - centred(other), axis=2)[:, LIMBS]
    assert np.isfinite(error).mean() > 0.9
    assert np.nanmean(error) < 0.06


def test_a_picture_is_one_frame(data: Path, tmp_path: Path) -> None:
    misnamed = tmp_path / "standing.mp4"
    shutil.copyfile(data / "video" / "standing.jpg", misnamed)
    done = rehabbox_pose(misnamed, "--out", tmp_path / "p.csv", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    unchecked = {"presence_unchecked": 1}
    assert json.loads(done.stdout) == {"frames": 1, "seen": 1, "fps": 0, "reasons": {}, "notes": unchecked}
    person = read_skeleton_csv(tmp_path / "p.csv").positions[0]
    assert person[INDEX["head"], 1] > person[INDEX["pelvis"], 1] > person[INDEX["left_ankle"], 1]


def test_a_video_without_a_person_is_answered_with_reasons_and_no_file(tmp_path: Path) -> None:
    video, out = empty_room(tmp_path / "room.mp4"), tmp_path / "r.csv"
    done = rehabbox_pose(video, "--out", out, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {"frames": 10, "seen": 0, "fps": 10, "reasons": {"no_person": 10}, "notes": {}}
    assert sorted(tmp_path.iterdir()) == [video]
    done = rehabbox_pose(video, "--out", out)
    assert done.returncode == 1
    assert "nobody was seen in 10 frames (no_person: 10)" in done.stdout


def test_the_person_printed_on_a_real_mug_is_not_seen_and_the_reason_is_given(data: Path, tmp_path: Path) -> None:
    """An Azure Kinect's recording; in its colour alone the pose network sees 33 joints."""
    recording, out = data / "azure-kinect" / "recording.mkv", tmp_path / "x.csv"
    done = rehabbox_pose(recording, "--out", out, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    answer = json.loads(done.stdout)
    assert (answer["frames"], answer["seen"], answer["reasons"]) == (1, 0, {"not_a_body": 1})
    assert not out.exists()


def test_a_damaged_kinect_recording_is_not_taken_for_a_video(data: Path, tmp_path: Path) -> None:
    """Without its calibration nothing could be checked, and the mug would be a person."""
    whole = (data / "azure-kinect" / "recording.mkv").read_bytes()
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(whole.replace(b"CalibrationInformation", b"CalibrationInformatiom"))
    done = rehabbox_pose(damaged, "--out", tmp_path / "x.csv", "--json")
    assert done.returncode == 2
    assert "damaged.mkv: the calibration is not an Azure Kinect's" in done.stderr


@pytest.mark.parametrize(
    ("video", "out", "words"),
    [
        ("missing.mp4", "o.csv", "missing.mp4: no such file"),
        ("empty.mp4", "o.csv", "empty.mp4: is empty"),
        ("binary.mp4", "o.csv", "binary.mp4: is not a video"),
        ("cut.jpg", "o.csv", "cut.jpg: is not a video or picture, or is cut short"),
        (".", "o.csv", "is not a regular file"),
        ("binary.mp4", "o.txt", "o.txt: must end in .csv or .csv.gz"),
        ("binary.mp4", "no/o.csv", "no; make it first"),
        ("binary.mp4", "folder.csv", "folder.csv: is a folder"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, command: Callable[..., Any], video: str, out: str, words: str
) -> None:
    """The `--out` is looked at first: a bad one is named even where the video is bad too."""
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "binary.mp4").write_bytes(np.random.default_rng(5).bytes(5000))
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.iterdir())
    done = command("pose", tmp_path / video, "--out", tmp_path / out, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
