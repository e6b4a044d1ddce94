"""The sixteen exercise files are valid, agree with the virtual patient, and name the joints that move."""

import numpy as np
import pytest

from appliance.config_folder import config_dir
from appliance.errors import SettingsError, UnknownExerciseError
from appliance.exercises import exercise_by_id, load_exercises
from appliance.skeleton.standard import INDEX, JOINTS
from hal.virtual.body import STANDARD_17
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import reference

EXERCISES = load_exercises()


def test_there_are_sixteen_numbered_as_fine_rehab_does():
    assert [exercise.number for exercise in EXERCISES.values()] == list(range(1, 17))
    files = sorted(file.name for file in (config_dir() / "exercises").glob("*.toml"))
    assert files == [f"{exercise.number:02d}_{exercise.id}.toml" for exercise in EXERCISES.values()]
    assert all(exercise.position == "supine" for exercise in EXERCISES.values() if exercise.number <= 7)
    assert all(exercise.position != "supine" for exercise in EXERCISES.values() if exercise.number > 7)
    assert exercise_by_id("heel_raise").number == 11
    assert exercise_by_id("heel_raise").root == "start"


def test_what_is_not_fine_rehabs_says_so():
    for exercise in EXERCISES.values():
        assert "FineRehab" in exercise.source
        assert ("ours" in exercise.source) == (exercise.number != 11)


def test_the_virtual_patient_knows_the_same_movements_positions_and_sides():
    assert STANDARD_17 == JOINTS
    assert {name: (e.position, e.sides) for name, e in EXERCISES.items()} == {
        name: (movement.position, movement.sides) for name, movement in MOVEMENTS.items()
    }


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_the_joints_that_move_are_the_ones_named(exercise):
    for side in exercise.sides:
        _, positions = reference(exercise.id, side, repetitions=1)
        origin = positions[:1, :1] if exercise.root == "start" else positions[:, [INDEX[exercise.root]]]
        moved = np.linalg.norm((positions - origin).std(axis=0), axis=1)
        most = {name for name, much in zip(JOINTS, moved, strict=True) if much > 0.1 * moved.max()}
        assert moved.max() > 0.02
        assert most <= set(exercise.joints)


def write(folder, file="99_ours.toml", **changed):
    keys = {"id": '"ours"', "name": '"Ours"', "source": '"ours"', "position": '"standing"'} | changed
    (folder / file).write_text("".join(f"{key} = {value}\n" for key, value in keys.items() if value))


def test_a_hospital_adds_its_own_without_code(tmp_path):
    write(tmp_path, joints='["left_wrist"]')
    (exercise,) = load_exercises(tmp_path).values()
    assert (exercise.joints, exercise.root, exercise.number) == (("left_wrist",), "pelvis", None)
    assert exercise.sides == ("left", "right", "both")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"joints": '["left_wing"]'}, "joints.*left_wing"),
        ({"joints": "[]"}, "joints.*at least one"),
        ({"position": '"flying"'}, "position"),
        ({"colour": '"red"'}, "colour"),
        ({"source": ""}, "source"),
        ({"sides": '["up"]'}, "sides"),
        ({"id": '"Über"'}, "id"),
        ({"name": '"'}, "not valid TOML"),
        ({"number": "1" * 5000}, "too many digits"),
    ],
)
def test_a_wrong_file_is_refused_by_file_and_key(tmp_path, changed, named):
    write(tmp_path, **changed)
    with pytest.raises(SettingsError, match=rf"99_ours\.toml: .*{named}"):
        load_exercises(tmp_path)


def test_an_id_taken_twice_and_an_empty_folder_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="no exercise files"):
        load_exercises(tmp_path / "nothing")
    write(tmp_path)
    write(tmp_path, file="98_ours.toml")
    with pytest.raises(SettingsError, match=r"99_ours\.toml: the id 'ours' is taken"):
        load_exercises(tmp_path)


def test_an_unknown_id_is_answered_with_those_there_are():
    with pytest.raises(UnknownExerciseError, match=r"'juggling'.*heel_raise"):
        exercise_by_id("juggling")
