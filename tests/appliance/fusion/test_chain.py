"""Joints placed by the tree are the least-squares solution, and say when nothing is known of them."""

import numpy as np

from appliance.fusion.chain import place
from appliance.skeleton.standard import BONES, INDEX


def test_it_is_the_weighted_least_squares_solution():
    rng = np.random.default_rng(3)
    joints, bones = rng.standard_normal((2, 17, 3)), rng.standard_normal((2, 16, 3))
    joint_variance, bone_variance = rng.uniform(1e-4, 1e-2, (2, 17)), rng.uniform(1e-4, 1e-2, (2, 16))
    joint_variance[:, 5:8] = np.inf
    joints[:, 5:8] = np.nan
    placed = place(joints, joint_variance, bones, bone_variance)
    for frame in range(2):
        rows, values = [], []
        for joint in np.flatnonzero(np.isfinite(joint_variance[frame])):
            rows.append(np.eye(17)[joint] / np.sqrt(joint_variance[frame, joint]))
            values.append(joints[frame, joint] / np.sqrt(joint_variance[frame, joint]))
        for bone, (parent, child) in enumerate(BONES):
            row = np.eye(17)[INDEX[child]] - np.eye(17)[INDEX[parent]]
            rows.append(row / np.sqrt(bone_variance[frame, bone]))
            values.append(bones[frame, bone] / np.sqrt(bone_variance[frame, bone]))
        expected = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
        np.testing.assert_allclose(placed.positions[frame], expected, atol=1e-6)
        variance = np.diag(np.linalg.inv(np.array(rows).T @ np.array(rows)))
        np.testing.assert_allclose(placed.variance[frame], variance, rtol=1e-4)


def test_a_wrist_hangs_from_a_seen_shoulder_by_two_bones_and_nothing_else_is_known():
    joints, joint_variance = np.full((1, 17, 3), np.nan), np.full((1, 17), np.inf)
    bones, bone_variance = np.full((1, 16, 3), np.nan), np.full((1, 16), np.inf)
    joints[0, INDEX["left_shoulder"]], joint_variance[0, INDEX["left_shoulder"]] = (0.2, 1.4, 0.0), 1e-4
    for child, vector in (("left_elbow", (0.0, -0.3, 0.0)), ("left_wrist", (0.0, 0.0, 0.25))):
        bone = [name for _, name in BONES].index(child)
        bones[0, bone], bone_variance[0, bone] = vector, 4e-4
    placed = place(joints, joint_variance, bones, bone_variance)
    np.testing.assert_allclose(placed.positions[0, INDEX["left_wrist"]], (0.2, 1.1, 0.25), atol=1e-6)
    np.testing.assert_allclose(placed.variance[0, INDEX["left_wrist"]], 9e-4, rtol=1e-3)
    assert placed.variance[0, INDEX["right_knee"]] > 1e3
