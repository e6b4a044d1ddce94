"""KERAAL: one take seen by several sensors. Adapted to the standard form, they tell the same story as the Kinect.

The takes carry no times and differ by a frame or two in length: each is stretched to one common length.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.skeleton.adapters import standard_from, unmirror
from appliance.skeleton.standard import INDEX

Array = NDArray[np.float64]

WIDE = 16 / 9
"""The files give pixels over the picture's width and height; angles need square ones."""
SAMPLES = 200
SPIKE_SAMPLES = 5
"""AlphaPose loses the person in single frames of CTK; a running median over five samples takes that out."""

OPENPOSE = (
    "Nose", "Neck", "rShoulder", "rElbow", "rWrist", "lShoulder", "lElbow", "lWrist",
    "rHip", "rKnee", "rAnkle", "lHip", "lKnee", "lAnkle", "rEye", "lEye", "rEar", "lEar",
)  # fmt: skip
LAYOUTS = {"BP": "mediapipe_33", "OP": "coco_18", "AP": "coco_17"}


def file_of(data: Path, source: str, exercise: str, suffix: str) -> Path:
    return data / "keraal" / f"G3-{source}-{exercise}-P1T1-Unknown-C-0.{suffix}.gz"


def kinect(data: Path, exercise: str) -> Array:
    rows = np.loadtxt(file_of(data, "Kinect", exercise, "txt"))
    return standard_from("kinect_v2_25", rows.reshape(len(rows), 25, 7)[:, :, :3])[0]


def raw(data: Path, source: str, exercise: str) -> Array:
    with gzip.open(file_of(data, source, exercise, "json")) as file:
        frames = json.load(file)["positions"]
    ordered = [frames[number] for number in sorted(frames, key=float)]
    names = OPENPOSE if source == "OP" else tuple(ordered[0])
    unseen = [np.nan] * 3
    joints = np.array([[[*frame.get(name, unseen), 0.0][:3] for name in names] for frame in ordered])
    return joints * (WIDE, 1, WIDE)


def network(data: Path, source: str, exercise: str) -> Array:
    positions, confidence = standard_from(LAYOUTS[source], raw(data, source, exercise), planar=source != "BP")
    return unmirror(positions, confidence)[0] if source == "BP" else positions


def steady(values: Array) -> Array:
    """(SAMPLES,): gaps bridged, stretched to the common length, spikes out."""
    times, seen = np.linspace(0, 1, len(values)), np.isfinite(values)
    stretched = np.interp(np.linspace(0, 1, SAMPLES), times[seen], values[seen])
    padded = np.pad(stretched, SPIKE_SAMPLES // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, SPIKE_SAMPLES), axis=1)


def together(one: Array, other: Array) -> float:
    return float(np.corrcoef(steady(one), steady(other))[0, 1])


def middle(skeleton: Array, joint: str) -> Array:
    return (skeleton[:, INDEX[f"left_{joint}"]] + skeleton[:, INDEX[f"right_{joint}"]]) / 2


def tilt(skeleton: Array) -> Array:
    """Degrees that the trunk, from mid-hips to mid-shoulders, leans to the subject's left.

    Not to the Kinect's spine and head joints: in ELK they spring upright while an arm is held over the head.
    """
    trunk = middle(skeleton, "shoulder") - middle(skeleton, "hip")
    return np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1]))


CORNERS = {
    "shoulder": ("elbow", "shoulder", "hip"),
    "elbow": ("shoulder", "elbow", "wrist"),
    "hip": ("shoulder", "hip", "knee"),
    "knee": ("hip", "knee", "ankle"),
}


def joint_angle(skeleton: Array, joint: str) -> Array:
    """Degrees at the joint, mean of left and right: both exercises move the two sides alike."""
    angles = []
    for side in ("left", "right"):
        first, corner, second = (skeleton[:, INDEX[f"{side}_{name}"]] for name in CORNERS[joint])
        one, two = first - corner, second - corner
        cosine = np.sum(one * two, axis=1) / (np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1))
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    return np.mean(angles, axis=0)


@pytest.mark.parametrize("source", ["BP", "OP", "AP"])
def test_the_trunk_leans_as_the_kinect_saw_it(data: Path, source: str) -> None:
    reference = tilt(kinect(data, "ELK"))
    assert np.ptp(steady(reference)) > 30
    assert together(reference, tilt(network(data, source, "ELK"))) >= 0.97


@pytest.mark.parametrize("source", ["BP", "OP", "AP"])
@pytest.mark.parametrize("exercise", ["CTK", "RTK"])
def test_the_main_joint_moves_as_the_kinect_saw_it(data: Path, source: str, exercise: str) -> None:
    reference = kinect(data, exercise)
    main = max(CORNERS, key=lambda joint: np.ptp(steady(joint_angle(reference, joint))))
    assert main == "shoulder"
    assert together(joint_angle(reference, main), joint_angle(network(data, source, exercise), main)) >= 0.8


def test_blazepose_leans_the_wrong_way_until_it_is_unmirrored(data: Path) -> None:
    mirrored = standard_from("mediapipe_33", raw(data, "BP", "ELK"))[0]
    assert together(tilt(kinect(data, "ELK")), tilt(mirrored)) < -0.9


def test_each_arm_is_the_kinects_arm_of_that_side(data: Path) -> None:
    """In ELK one arm goes up, then the other: swapped sides would show."""

    def left_higher(skeleton: Array) -> Array:
        return skeleton[:, INDEX["left_elbow"], 1] - skeleton[:, INDEX["right_elbow"], 1]

    reference = left_higher(kinect(data, "ELK"))
    for source in LAYOUTS:
        assert together(reference, left_higher(network(data, source, "ELK"))) > 0.9, source


def test_forward_is_towards_the_camera_for_kinect_and_blazepose(data: Path) -> None:
    """In CTK the hands go out to the front and up: they come nearer to the camera than the shoulders."""

    def reach(skeleton: Array) -> Array:
        return middle(skeleton, "wrist")[:, 2] - middle(skeleton, "shoulder")[:, 2]

    reference = reach(kinect(data, "CTK"))
    assert np.max(steady(reference)) > 0.2
    assert together(reference, reach(network(data, "BP", "CTK"))) > 0.3


def test_a_key_that_openpose_left_out_is_a_joint_not_seen(data: Path) -> None:
    joints = raw(data, "OP", "ELK")
    missing = ~np.isfinite(joints).all(axis=2)
    assert missing.any()
    positions, confidence = standard_from("coco_18", joints, planar=True)
    no_ear = missing[:, OPENPOSE.index("rEar")]
    assert no_ear.any()
    assert np.isnan(positions[no_ear, INDEX["head"]]).all()
    assert (confidence[no_ear, INDEX["head"]] == 0).all()
    assert np.isfinite(positions[no_ear, INDEX["left_wrist"]]).any()
