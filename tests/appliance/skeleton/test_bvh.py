"""Motion files are read by what they say: any order of channels, the usual names, one clear line for what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import RecordingError
from appliance.skeleton.bvh import joint_positions, parse_bvh, read_bvh
from appliance.skeleton.bvh_names import standard_weights
from appliance.skeleton.standard import INDEX

# A person of 1.8 m or so, in centimetres: name, parent, offset from the parent.
PERSON = (
    ("Hips", None, (0, 95, 0)),
    ("Spine", "Hips", (0, 10, 0)),
    ("Spine1", "Spine", (0, 20, 0)),
    ("Neck", "Spine1", (0, 25, 0)),
    ("Head", "Neck", (0, 10, 2)),
    ("LeftShoulder", "Spine1", (5, 20, 0)),
    ("LeftArm", "LeftShoulder", (15, 0, 0)),
    ("LeftForeArm", "LeftArm", (28, 0, 0)),
    ("LeftHand", "LeftForeArm", (25, 0, 0)),
    ("RightShoulder", "Spine1", (-5, 20, 0)),
    ("RightArm", "RightShoulder", (-15, 0, 0)),
    ("RightForeArm", "RightArm", (-28, 0, 0)),
    ("RightHand", "RightForeArm", (-25, 0, 0)),
    ("LeftUpLeg", "Hips", (10, 0, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -43, 0)),
    ("LeftFoot", "LeftLeg", (0, -42, 0)),
    ("RightUpLeg", "Hips", (-10, 0, 0)),
    ("RightLeg", "RightUpLeg", (0, -43, 0)),
    ("RightFoot", "RightLeg", (0, -42, 0)),
)
TURNS = "Zrotation Xrotation Yrotation"
MOVES = "Xposition Yposition Zposition"


def bvh_text(
    *turned: Mapping[str, tuple[float, float, float]],
    turns: str = TURNS,
    renamed: Callable[[str], str] = str,
    moving: bool = False,
) -> str:
    """The person as BVH; a frame for each of `turned`, which gives joints their angles in the order of `turns`.

    `moving`: every joint, not only the root, lists its offset again as position channels.
    """
    lines = ["HIERARCHY"]

    def joint(name: str) -> None:
        parent, offset = next((parent, offset) for other, parent, offset in PERSON if other == name)
        moves = f"6 {MOVES}" if moving or parent is None else "3"
        lines.extend([f"{'JOINT' if parent else 'ROOT'} {renamed(name)}", "{"])
        lines.extend([f"OFFSET {' '.join(map(str, offset))}", f"CHANNELS {moves} {turns}"])
        children = [other for other, its_parent, _ in PERSON if its_parent == name]
        for child in children:
            joint(child)
        if not children:
            lines.extend(["End Site", "{", "OFFSET 0 1 0", "}"])
        lines.append("}")

    joint("Hips")
    lines.extend(["MOTION", f"Frames: {len(turned)}", "Frame Time: 0.02"])
    for angles in turned:
        values: list[float] = []
        for name, parent, offset in PERSON:
            values.extend(offset if moving or parent is None else ())
            values.extend(angles.get(name, (0, 0, 0)))
        lines.append(" ".join(map(str, values)))
    return "\n".join(lines) + "\n"


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "motion.bvh").write_text(text)
        return tmp_path / "motion.bvh"

    return write


def test_the_rest_pose_is_the_offsets_added_up_in_metres(written: Callable[[str], Path]) -> None:
    recording = read_bvh(written(bvh_text({}, {})))
    np.testing.assert_allclose(recording.times, [0, 0.02])
    at = recording.positions[1]
    expected = {
        "pelvis": (0, 0.95, 0),
        "left_wrist": (0.73, 1.45, 0),
        "right_shoulder": (-0.2, 1.45, 0),
        "thorax": (0, 1.45, 0),
        "spine": (0, 1.2, 0),
        "neck": (0, 1.5, 0),
        "head": (0, 1.6, 0.02),
        "left_ankle": (0.1, 0.1, 0),
        "right_knee": (-0.1, 0.52, 0),
    }
    for name, position in expected.items():
        np.testing.assert_allclose(at[INDEX[name]], position, atol=1e-12, err_msg=name)
    assert (recording.confidence == 1).all()
    assert not recording.planar


def test_the_unit_is_the_callers_word(written: Callable[[str], Path]) -> None:
    file = written(bvh_text({}))
    np.testing.assert_allclose(read_bvh(file, unit="m").positions, 100 * read_bvh(file).positions)


def test_a_joint_turns_what_hangs_on_it_and_nothing_else(written: Callable[[str], Path]) -> None:
    """The left arm raised by 90 degrees about z, which points to the camera."""
    rest, raised = read_bvh(written(bvh_text({}, {"LeftArm": (90, 0, 0)}))).positions
    np.testing.assert_allclose(raised[INDEX["left_wrist"]], (0.2, 1.98, 0), atol=1e-12)
    same = [index for name, index in INDEX.items() if name not in ("left_elbow", "left_wrist")]
    np.testing.assert_allclose(raised[same], rest[same], atol=1e-12)


@pytest.mark.parametrize(
    ("turns", "hand"),
    [
        ("Zrotation Xrotation Yrotation", (0, 0, -25)),
        ("Yrotation Xrotation Zrotation", (0, 25, 0)),
    ],
)
def test_turns_are_applied_in_the_order_of_the_channels(turns: str, hand: tuple[float, float, float]) -> None:
    """A quarter turn about z and one about y: the forearm, along x, ends up by which of the two is the outer one."""
    angles = (90, 0, 90)
    bvh = parse_bvh(bvh_text({"LeftForeArm": angles}, turns=turns))
    names = [joint.name for joint in bvh.joints]
    at = joint_positions(bvh)[0]
    np.testing.assert_allclose(at[names.index("LeftHand")] - at[names.index("LeftForeArm")], hand, atol=1e-12)


def test_position_channels_stand_in_for_the_offset() -> None:
    with_moves = joint_positions(parse_bvh(bvh_text({"LeftArm": (30, 20, 10)}, moving=True)))
    np.testing.assert_allclose(with_moves, joint_positions(parse_bvh(bvh_text({"LeftArm": (30, 20, 10)}))))


@pytest.mark.parametrize(
    "renamed",
    [
        lambda name: f"mixamorig:{name}",
        lambda name: name.upper(),
        lambda name: name.replace("Left", "Left_").replace("Right", "Right_"),
        lambda name: {
            "LeftShoulder": "LeftCollar", "LeftArm": "LeftShoulder", "LeftForeArm": "LeftElbow",
            "LeftHand": "LeftWrist", "LeftUpLeg": "LeftHip", "LeftLeg": "LeftKnee", "LeftFoot": "LeftAnkle",
        }.get(name, name),
        lambda name: {
            "LeftShoulder": "lCollar", "LeftArm": "lShldr", "LeftForeArm": "lForeArm", "LeftHand": "lHand",
            "LeftUpLeg": "lThigh", "LeftLeg": "lShin", "LeftFoot": "lFoot", "Hips": "hip",
        }.get(name, name),
    ],
    ids=["prefix", "capitals", "underscores", "joints", "poser"],
)  # fmt: skip
def test_the_usual_names_are_understood(renamed: Callable[[str], str]) -> None:
    names = [name for name, _, _ in PERSON]
    np.testing.assert_array_equal(standard_weights([renamed(name) for name in names]), standard_weights(names))


def test_without_a_neck_it_lies_between_thorax_and_head() -> None:
    names = [name for name, _, _ in PERSON if name != "Neck"]
    weights = standard_weights(names)
    expected = (weights[INDEX["thorax"]] + weights[INDEX["head"]]) / 2
    np.testing.assert_array_equal(weights[INDEX["neck"]], expected)


GOOD = bvh_text({}, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin with HIERARCHY"),
        ("time_s,pelvis.x\n", "does not begin with HIERARCHY"),
        (GOOD[: GOOD.index("LeftArm")], "cut short"),
        (GOOD[: GOOD.index("MOTION")], "has no MOTION"),
        (GOOD[: GOOD.rindex(" 0 0")], "is it cut short"),
        (GOOD.replace("Time: 0.02", "Time: 1e308"), "beyond two hours; is its Frame Time in seconds"),
        (GOOD.replace("LeftLeg", "Sausage"), "like the left knee"),
        (GOOD.replace("Zrotation", "Wrotation", 1), "channels"),
        (GOOD.replace("CHANNELS 3", "CHANNELS 9", 1), "has 9 channels"),
        (GOOD.replace("OFFSET 0 10 0", "OFFSET 0 ten 0"), "expected a number, found 'ten'"),
        (GOOD.replace("Time: 0.02", "Time: 0"), "2 frames of 0 s"),
        (GOOD.replace("Frames: 2", "Frames: 0"), "0 frames"),
        (GOOD.replace("0 95 0", "0 nan 0").replace("OFFSET 0 nan 0", "OFFSET 0 95 0"), "not finite"),
        (GOOD.replace("\n0 95 0", "\n0 x 0"), "not a number"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(written: Callable[[str], Path], text: str, words: str) -> None:
    file = written(text)
    with pytest.raises(RecordingError) as raised:
        read_bvh(file)
    assert words in str(raised.value)
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_said_too(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.bvh: cannot be read: No such file"):
        read_bvh(tmp_path / "nowhere.bvh")
