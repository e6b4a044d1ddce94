"""The weights of FineRehab's score: checked when an exercise is read, versioned by what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from pydantic import ValidationError

from appliance.errors import SettingsError
from appliance.exercises import Exercise, load_exercises, weights_version
from appliance.quality.parts import BODY_PARTS, PART_JOINTS
from appliance.quality.weights import Side, Weights
from appliance.skeleton.standard import INDEX, JOINTS
from hal.virtual.patient import reference

EXERCISES = load_exercises()
ONE_SIDED = {"trunk": 0.2, "working_arm": 0.7, "other_arm": 0.1}


def weights(**changes: Any) -> Weights:
    dimensions = {"completeness": 0.4, "correction": 0.35, "smoothness": 0.25}
    whole = {"source": "ours", "dimensions": dimensions, "body_parts": ONE_SIDED}
    return Weights.model_validate(whole | changes)


def test_every_joint_belongs_to_one_part_of_the_body() -> None:
    assert sorted(joint for joints in PART_JOINTS.values() for joint in joints) == sorted(JOINTS)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_both_axes_of_every_movement_sum_to_one_on_every_side(exercise: Exercise) -> None:
    assert exercise.assessment is not None
    assert exercise.assessment.of_dimensions().sum() == pytest.approx(1.0)
    for side in exercise.sides:
        assert exercise.assessment.of_parts(side).sum() == pytest.approx(1.0)
    assert "ours" in exercise.assessment.source.lower()


@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if "left" in e.sides], ids=lambda e: e.id)
def test_the_part_that_moves_most_weighs_most(exercise: Exercise) -> None:
    assert exercise.assessment is not None
    for side in ("left", "right"):
        _, positions = reference(exercise.id, side, repetitions=1)
        moved = (positions - positions[:, [INDEX["thorax"]]]).std(axis=0).sum(axis=1)
        by_part = [moved[[INDEX[joint] for joint in PART_JOINTS[part]]].max() for part in BODY_PARTS]
        parts = exercise.assessment.of_parts(cast(Side, side))
        assert int(np.argmax(by_part)) == int(np.argmax(parts))


def test_the_other_side_s_work_is_the_mirror_of_this_one_s_and_both_sides_share_evenly() -> None:
    found = weights()
    assert found.of_parts("left").tolist() == pytest.approx([0.2, 0.7, 0.1, 0, 0])
    assert found.of_parts("right").tolist() == pytest.approx([0.2, 0.1, 0.7, 0, 0])
    assert found.of_parts("both").tolist() == pytest.approx([0.2, 0.4, 0.4, 0, 0])


def test_the_version_is_of_the_figures_and_nothing_else() -> None:
    version = weights().version
    turned = dict(reversed(ONE_SIDED.items())) | {"other_leg": 0.0}
    assert weights(source="other words", body_parts=turned).version == version
    assert weights(body_parts=ONE_SIDED | {"trunk": 0.1, "other_arm": 0.2}).version != version
    assert weights(dimensions={"completeness": 0.35, "correction": 0.4, "smoothness": 0.25}).version != version
    assert version.startswith("sha256:")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("body_parts = { trunk = 0.3, working_arm = 0.6 }", r"assessment\.body_parts: .*sum to 0\.9, not to 1"),
        ("dimensions = { completeness = 0.5, correction = 0.5, smoothness = 0.1 }", r"dimensions: .*sum to 1\.1"),
        ("dimensions = { completeness = 0.5, correction = 0.5 }", r"assessment\.dimensions\.smoothness"),
        ("body_parts = { trunk = 1.5, working_arm = -0.5 }", r"assessment\.body_parts\.trunk"),
        ("body_parts = { trunk = 0.5, working_arm = nan }", r"assessment\.body_parts\.working_arm"),
        ("body_parts = { wing = 1.0 }", r"assessment\.body_parts\.wing"),
        ("body_parts = { left_arm = 0.5, right_arm = 0.5 }", "limbs are named working_ and other_"),
        ("body_parts = { working_leg = 1.0 }", "left_leg counts with side left, but none of its joints is in joints"),
        ('source = ""', r"assessment\.source"),
    ],
)
def test_wrong_weights_are_refused_by_file_and_key(tmp_path: Path, changed: str, named: str) -> None:
    table = {
        "source": 'source = "ours"',
        "dimensions": "dimensions = { completeness = 0.4, correction = 0.35, smoothness = 0.25 }",
        "body_parts": "body_parts = { trunk = 0.2, working_arm = 0.7, other_arm = 0.1 }",
    }
    table[changed.split(" ", 1)[0]] = changed
    head = 'id = "ours"\nname = "Ours"\nsource = "ours"\nposition = "standing"\njoints = ["thorax", "left_wrist"]\n'
    (tmp_path / "99_ours.toml").write_text(head + "[assessment]\n" + "\n".join(table.values()))
    with pytest.raises(SettingsError, match=rf"99_ours\.toml: .*{named}") as error:
        load_exercises(tmp_path)
    assert "\n" not in str(error.value)


def test_a_movement_of_both_sides_at_once_names_left_and_right() -> None:
    squat = EXERCISES["squat"]
    assert squat.assessment is not None
    by_work = squat.assessment.model_dump() | {"body_parts": {"working_leg": 1.0}}
    with pytest.raises(ValidationError, match="limbs are named left_ and right_"):
        Exercise.model_validate(squat.model_dump() | {"assessment": by_work})


def test_an_exercise_of_a_hospital_s_own_needs_no_weights() -> None:
    assert Exercise(id="ours", name="Ours", source="ours", position="standing").assessment is None


def test_one_name_stands_for_the_weights_of_all_exercises() -> None:
    shipped = weights_version(EXERCISES)
    squat = EXERCISES["squat"]
    unweighed = squat.model_copy(update={"assessment": None})
    changed = squat.model_copy(update={"assessment": EXERCISES["heel_raise"].assessment, "name": "Deep squat"})
    assert str(shipped).startswith("sha256:")
    assert weights_version(dict(reversed(EXERCISES.items()))) == shipped
    assert weights_version(EXERCISES | {"squat": squat.model_copy(update={"name": "Deep squat"})}) == shipped
    assert weights_version(EXERCISES | {"ours": unweighed}) == shipped
    assert weights_version(EXERCISES | {"squat": changed}) != shipped
    assert weights_version({"squat": unweighed}) is None
