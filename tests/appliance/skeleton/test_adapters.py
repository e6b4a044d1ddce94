"""Every source's joints come out as the standard ones, in the standard axes, and what was not seen stays not seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.skeleton.adapters import standard_from, to_standard, unmirror
from appliance.skeleton.layouts import LAYOUTS
from appliance.skeleton.standard import INDEX, JOINTS
from hal.types import Body, Layout

Array = NDArray[np.float64]

BLAZEPOSE = {"left_ear": 7, "right_ear": 8, "left_shoulder": 11, "right_shoulder": 12, "left_hip": 23, "right_hip": 24}
LIMBS = {
    "mediapipe_33": {"left_elbow": 13, "right_wrist": 16, "left_knee": 25, "right_ankle": 28},
    "kinect_v2_25": {"left_elbow": 5, "right_wrist": 10, "left_knee": 13, "right_ankle": 18, "thorax": 20, "neck": 2},
    "azure_kinect_32": {"left_elbow": 6, "right_wrist": 14, "left_knee": 19, "right_ankle": 24, "neck": 3, "head": 26},
    "coco_17": {"left_elbow": 7, "right_wrist": 10, "left_knee": 13, "right_ankle": 16},
    "coco_18": {"left_elbow": 6, "right_wrist": 4, "left_knee": 12, "right_ankle": 10},
    "h36m_17": {"left_elbow": 12, "right_wrist": 16, "left_knee": 5, "right_ankle": 3, "pelvis": 0, "head": 10},
}
MIRRORED_X = {"kinect_v2_25"}


def joints_of(layout: Layout) -> int:
    return LAYOUTS[layout].weights.shape[1]


def anything(layout: Layout, frames: int = 3) -> Array:
    return np.random.default_rng(1).normal(size=(frames, joints_of(layout), 3))


@pytest.mark.parametrize("layout", sorted(LIMBS))
def test_a_limb_joint_is_the_sources_joint_of_that_name(layout: Layout) -> None:
    source = anything(layout)
    standard, _ = standard_from(layout, source)
    signs = (-1, 1, -1) if layout in MIRRORED_X else (1, -1, -1)
    for name, joint in LIMBS[layout].items():
        np.testing.assert_allclose(standard[:, INDEX[name]], source[:, joint] * signs, err_msg=name)


def test_the_standard_layout_passes_through() -> None:
    source = anything("standard_17")
    np.testing.assert_array_equal(standard_from("standard_17", source)[0], source)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_standard_joint_is_a_mean_of_the_sources_joints(layout: Layout) -> None:
    """So the standard form moves with the body: a shift of all joints is a shift of all standard joints."""
    source = anything(layout)
    shifted = standard_from(layout, source + np.array([1, 2, 3]))[0] - standard_from(layout, source)[0]
    np.testing.assert_allclose(np.abs(shifted), np.broadcast_to((1, 2, 3), shifted.shape))


def test_blazeposes_trunk_is_built_from_ears_shoulders_and_hips() -> None:
    source = anything("mediapipe_33", 1)[0]
    at = {name: source[joint] * (1, -1, -1) for name, joint in BLAZEPOSE.items()}
    pelvis = (at["left_hip"] + at["right_hip"]) / 2
    thorax = (at["left_shoulder"] + at["right_shoulder"]) / 2
    head = (at["left_ear"] + at["right_ear"]) / 2
    standard, _ = standard_from("mediapipe_33", source)
    expected = [pelvis, (pelvis + thorax) / 2, thorax, (thorax + head) / 2, head]
    np.testing.assert_allclose(standard[:5], expected)


def test_coco_17_and_coco_18_agree_on_the_same_body() -> None:
    """OpenPose's order, with its own neck left out of it, holds the same joints as COCO's."""
    order_18 = [0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]
    source = anything("coco_17", 1)[0]
    as_18 = np.array([np.zeros(3) if joint is None else source[joint] for joint in order_18])
    np.testing.assert_allclose(standard_from("coco_18", as_18)[0], standard_from("coco_17", source)[0])


def test_a_joint_not_seen_hides_only_what_is_made_of_it() -> None:
    source = anything("mediapipe_33", 1)[0]
    source[BLAZEPOSE["left_hip"]] = np.nan
    standard, confidence = standard_from("mediapipe_33", source)
    hidden = {name for name in JOINTS if np.isnan(standard[INDEX[name]]).all()}
    assert hidden == {"left_hip", "pelvis", "spine"}
    assert {name for name in JOINTS if confidence[INDEX[name]] == 0} == hidden


def test_a_combined_joint_is_as_sure_as_its_least_sure_part() -> None:
    confidence = np.ones(33)
    confidence[BLAZEPOSE["left_ear"]], confidence[BLAZEPOSE["right_shoulder"]] = 0.3, 0.7
    _, combined = to_standard(Body("mediapipe_33", anything("mediapipe_33", 1)[0], confidence))
    assert combined[INDEX["head"]] == combined[INDEX["neck"]] == 0.3
    assert combined[INDEX["thorax"]] == combined[INDEX["spine"]] == 0.7
    assert combined[INDEX["left_wrist"]] == 1


def test_no_confidence_means_not_seen_whatever_the_position_says() -> None:
    standard, _ = standard_from("coco_17", anything("coco_17", 1), np.zeros((1, 17)))
    assert np.isnan(standard).all()


def test_pixels_come_out_flat_and_upright() -> None:
    source = anything("coco_17", 1)[0]
    standard, _ = to_standard(Body("coco_17", source, np.ones(17), planar=True))
    assert (standard[:, 2] == 0).all()
    np.testing.assert_allclose(standard[INDEX["left_wrist"], :2], source[9, :2] * (1, -1))


def test_a_mirrored_person_is_turned_back_into_themselves() -> None:
    person = anything("standard_17")
    confidence = np.random.default_rng(2).uniform(0.1, 1, size=(3, 17))
    turned, trust = unmirror(person, confidence)
    np.testing.assert_allclose(turned[:, INDEX["left_knee"]], person[:, INDEX["right_knee"]] * (-1, 1, 1))
    np.testing.assert_allclose(turned[:, INDEX["head"]], person[:, INDEX["head"]] * (-1, 1, 1))
    assert trust[0, INDEX["left_knee"]] == confidence[0, INDEX["right_knee"]]
    np.testing.assert_allclose(unmirror(turned, trust)[0], person)


def test_the_wrong_number_of_joints_is_refused() -> None:
    with pytest.raises(ValueError, match="coco_17 has 17 joints"):
        standard_from("coco_17", np.zeros((33, 3)))
