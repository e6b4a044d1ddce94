"""A landmark becomes a joint in metres: measured, or the network's where depth has a hole, or none at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hal.pose.lift import NETWORK_CONFIDENCE, Lifted, lift

LIMBS = [11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
LEFT_KNEE, LEFT_ANKLE, LEFT_WRIST, LEFT_SHOULDER = 25, 27, 15, 11


def lifted(seen: Any) -> Lifted:
    return lift(seen.depth, seen.lens, seen.pixels, seen.network, seen.visibility, seen.in_picture)


def errors(found: Lifted, seen: Any) -> np.ndarray:
    return np.linalg.norm(found.positions - seen.joints, axis=1)


@pytest.mark.parametrize("posture", ["standing", "sitting", "lying"])
@pytest.mark.parametrize("away", [1.5, 2.2, 3.0])
def test_joints_are_within_3_cm_with_landmarks_5_px_off(stage: Any, posture: str, away: float) -> None:
    """The twelve joints of the limbs, people of 1.55 to 1.9 m and girths of 0.85 to 1.15 of the usual."""
    rng = np.random.default_rng(int(away * 10))
    off, joint = [], []
    for stature, girth in ((1.55, 1.15), (1.75, 1.0), (1.9, 0.85)):
        body = stage.body(posture, stature=stature, girth=girth)
        scene = stage.scene(stage.view(posture, away))
        scene.add_person(body)
        for _ in range(4):
            seen = stage.seen(scene, body, rng)
            found = lifted(seen)
            counted = np.array([joint for joint in LIMBS if seen.visible[joint] and seen.in_picture[joint]])
            assert found.measured[counted].mean() > 0.7
            joint.extend((counted[found.measured[counted]] - 1) // 2)  # left and right together
            off.extend(errors(found, seen)[counted[found.measured[counted]]])
    assert np.mean(off) < 0.03
    assert np.median(off) < 0.025
    assert np.quantile(off, 0.95) < 0.07
    each = {kind: np.array(off)[np.array(joint) == kind] for kind in set(joint)}
    assert max(np.median(of_one) for of_one in each.values()) < 0.03
    if posture != "lying":  # there a landmark beside the far arm may find the trunk
        assert max(of_one.mean() for of_one in each.values()) < 0.03


def test_a_joint_behind_a_table_is_marked_and_not_invented(stage: Any) -> None:
    """The shins are behind a board half a metre before the person; the knees, above it, are not."""
    rng = np.random.default_rng(5)
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", 2.2))
    scene.add_person(body)
    scene.add_board(np.array([0, 0.15, 0.5]), np.array([0.6, 0, 0]), np.array([0, 0.18, 0]))
    for _ in range(10):
        seen = stage.seen(scene, body, rng)
        assert not seen.visible[LEFT_ANKLE]
        found = lifted(seen)
        assert found.hidden[LEFT_ANKLE]
        assert np.isnan(found.positions[LEFT_ANKLE]).all()
        assert found.confidence[LEFT_ANKLE] == 0
        assert found.measured[LEFT_SHOULDER]


@pytest.mark.parametrize("gap", [0.15, 0.2, 0.3])
@pytest.mark.parametrize(("wide", "high"), [(0.12, 0.13), (0.5, 0.2)], ids=["box before a foot", "board before both"])
def test_a_joint_close_behind_an_obstacle_is_marked(stage: Any, wide: float, high: float, gap: float) -> None:
    """No farther before the shin than the network errs: the edge across the shin tells."""
    rng = np.random.default_rng(51)
    marked, near = [], []
    for posture, stature, away in (("standing", 1.6, 2.0), ("standing", 1.8, 2.6), ("sitting", 1.7, 2.2)):
        body = stage.body(posture, stature=stature)
        scene = stage.scene(stage.view(posture, away))
        scene.add_person(body)
        x, _, z = body.joints["left_ankle"]
        scene.add_board(np.array([x, high, z + gap]), np.array([wide, 0, 0]), np.array([0, high, 0]))
        for _ in range(6):
            seen = stage.seen(scene, body, rng)
            assert not seen.visible[LEFT_ANKLE]
            found = lifted(seen)
            marked.append(found.hidden[LEFT_ANKLE])
            near.append(found.measured[LEFT_KNEE])
            assert np.isnan(found.positions[LEFT_ANKLE]).all() == found.hidden[LEFT_ANKLE]
    assert np.mean(marked) > 0.9
    assert np.mean(near) > 0.9


def test_of_somebody_lying_the_far_arm_behind_the_trunk_is_seldom_taken_from_it(stage: Any) -> None:
    rng = np.random.default_rng(52)
    invented, joints = 0, 0
    for away in (1.5, 2.2, 3.0):
        body = stage.body("lying")
        scene = stage.scene(stage.view("lying", away))
        scene.add_person(body)
        for _ in range(10):
            seen = stage.seen(scene, body, rng)
            found = lifted(seen)
            behind = np.array([joint for joint in LIMBS if not seen.visible[joint] and seen.in_picture[joint]])
            joints += len(behind)
            invented += np.count_nonzero(found.measured[behind] & (errors(found, seen)[behind] > 0.08))
    assert joints > 50
    assert invented < 0.25 * joints


def test_where_depth_has_a_hole_the_networks_distance_stands_in_and_says_so(stage: Any) -> None:
    rng = np.random.default_rng(6)
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", 2.0))
    scene.add_person(body)
    seen = stage.seen(scene, body, rng)
    x, y = seen.pixels[LEFT_KNEE].astype(int)
    seen.depth[y - 40 : y + 40, x - 40 : x + 40] = 0
    found = lifted(seen)
    assert not found.measured[LEFT_KNEE]
    assert not found.hidden[LEFT_KNEE]
    assert found.confidence[LEFT_KNEE] == pytest.approx(0.9 * NETWORK_CONFIDENCE)
    assert errors(found, seen)[LEFT_KNEE] < 0.20
    assert found.confidence[LEFT_WRIST] == pytest.approx(0.9)


def test_a_limb_is_found_beside_its_landmark_and_not_the_wall_behind(stage: Any) -> None:
    """Landmarks put on the wall beside the forearm: the wrist's distance is still the arm's."""
    rng = np.random.default_rng(7)
    body = stage.body("standing", spread=25.0)
    scene = stage.scene(stage.view("standing", 2.0))
    scene.add_person(body)
    seen = stage.seen(scene, body, rng, noise_px=0.0)
    seen.pixels[LEFT_WRIST, 0] += 11.0
    x, y = np.round(seen.pixels[LEFT_WRIST]).astype(int)
    assert seen.depth[y, x] == 0 or seen.depth[y, x] > 2400
    found = lifted(seen)
    assert abs(found.positions[LEFT_WRIST, 2] - seen.joints[LEFT_WRIST, 2]) < 0.04


def test_a_landmark_the_network_does_not_vouch_for_has_no_joint(stage: Any) -> None:
    rng = np.random.default_rng(8)
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", 2.0))
    scene.add_person(body)
    seen = stage.seen(scene, body, rng)
    seen.in_picture[LEFT_KNEE] = False
    found = lifted(seen)
    assert np.isnan(found.positions[LEFT_KNEE]).all()
    assert found.confidence[LEFT_KNEE] == 0
    assert not found.measured[LEFT_KNEE]


def test_without_any_depth_nothing_is_measured_and_nothing_placed(stage: Any) -> None:
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", 2.0))
    seen = stage.seen(scene, body, np.random.default_rng(9))
    seen.depth[:] = 0
    found = lifted(seen)
    assert not found.measured.any()
    assert np.isnan(found.positions).all()
    assert (found.confidence == 0).all()
