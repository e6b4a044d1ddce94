"""A set in FineRehab's layout becomes examples: who is compared with whom, and what of the grades is learned."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import ManifestError, RehabBoxError
from appliance.exercises import load_exercises
from appliance.quality.levels import FEWEST, Distribution, distribution_of
from appliance.quality.parts import BODY_PARTS, LEVELS
from appliance.quality.relative import relative
from appliance.quality.score import Grades, score
from appliance.recording.finerehab_json import read_finerehab, write_finerehab
from appliance.scoring.body import body_of
from appliance.scoring.components import model_of
from models.training.examples import FINEREHAB, FOREIGN, ORDINARY, SHUFFLED, UNKNOWN, Examples
from models.training.finerehab_examples import examples_of
from models.training.finerehab_tables import GRADE_COLUMNS, ID_COLUMNS, SUBJECT_COLUMNS
from models.training.folds import folds_named
from models.training.labels import labels_of
from models.training.virtual import levelled
from tests.models.training.small_set import cuts_of, write_table

SUBJECTS = ("S01", "S02", "S03", "S04", "S05")
"""The first is the best in everything, the last the worst."""
DONE = {("squat", "both"): SUBJECTS, ("marching", "left"): SUBJECTS[:3], ("marching", "right"): SUBJECTS[:2]}
LEFT_LEG, RIGHT_LEG = (BODY_PARTS.index(part) for part in ("left_leg", "right_leg"))  # type: ignore[arg-type]
Made = tuple[Examples, list[str]]


def graded(subject: str, side: str, number: int) -> np.ndarray:
    """Every first cut is better than the same subject's second; the leg that works is better than all else."""
    grades = np.full((3, 5), max(4.0 - SUBJECTS.index(subject) - 0.5 * number, 0.0))
    grades[:, RIGHT_LEG if side == "right" else LEFT_LEG] += 0.5
    return grades


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, sessions = tmp_path_factory.mktemp("set"), tmp_path_factory.mktemp("sessions")
    annotation = []
    for (exercise, side), subjects in DONE.items():
        for subject in subjects:
            for cut in cuts_of(subject, SUBJECTS.index(subject), exercise, side, sessions):
                write_finerehab(folder, cut)
                grades = graded(subject, side, cut.number)
                annotation.append([subject, exercise, side, str(cut.number), *map(str, grades.flat)])
    write_table(folder / "annotation.csv", [*ID_COLUMNS, *GRADE_COLUMNS], annotation)
    write_table(folder / "subject.csv", [*SUBJECT_COLUMNS], [[subject, "", "patient"] for subject in SUBJECTS])
    return folder


def made_of(folder: Path) -> Made:
    problems: list[RehabBoxError] = []
    examples = examples_of(folder, problems.append)
    assert all("\n" not in str(problem) and str(folder) in str(problem) for problem in problems)
    return examples, [str(problem) for problem in problems]


@pytest.fixture(scope="module")
def made(pristine: Path) -> Made:
    return made_of(pristine)


@pytest.fixture(scope="module")
def damaged(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A file is broken, in another nothing moves, of one movement and side only one subject is left, two cells are
    empty."""
    folder = Path(shutil.copytree(pristine, tmp_path_factory.mktemp("damaged") / "set"))
    (folder / "S05_squat+both_Cut02.json").write_text("{")
    cut = read_finerehab(folder / "S04_squat+both_Cut02.json")
    still = replace(cut.recording, positions=np.repeat(cut.recording.positions[:1], len(cut.recording), axis=0))
    write_finerehab(folder, replace(cut, recording=still))
    lines = (folder / "annotation.csv").read_text().splitlines()
    header = lines[0].split(",")
    rows = [line.split(",") for line in lines[1:]]
    for row in rows:
        if row[:4] == ["S01", "squat", "both", "1"]:
            row[header.index("correction_trunk")] = ""
        if row[:4] == ["S02", "squat", "both", "1"]:
            row[header.index("correction_left_arm")] = ""
    kept = [row for row in rows if row[:3] != ["S02", "marching", "right"]]
    write_table(folder / "annotation.csv", header, kept)
    return made_of(folder)


def rows_of(examples: Examples, name: str, kind: int = ORDINARY) -> Examples:
    return examples.where((examples.recording == name) & (examples.kind == kind))


def test_a_cut_is_compared_with_the_others_who_did_the_same_and_measured_with_the_best(made: Made) -> None:
    examples, problems = made
    assert problems == []
    assert set(examples.source) == {FINEREHAB}
    for (exercise, side), subjects in DONE.items():
        for subject in subjects:
            for number in (1, 2):
                rows = rows_of(examples, f"{subject}_{exercise}+{side}_Cut{number:02d}.json")
                others = [f"finerehab/{other}" for other in subjects if other != subject]
                assert sorted(rows.reference_person) == others
                assert rows.reference_person[rows.measured].tolist() == others[:1]
                assert set(rows.exercise) == set(rows.reference_exercise) == {exercise}
                assert set(rows.movement) == {load_exercises()[exercise].number}


def test_of_a_subjects_cuts_the_best_one_is_the_reference(made: Made, pristine: Path) -> None:
    rows = rows_of(made[0], "S02_squat+both_Cut02.json")
    best, done = (
        body_of(read_finerehab(pristine / name).recording)
        for name in ("S01_squat+both_Cut01.json", "S02_squat+both_Cut02.json")
    )
    np.testing.assert_array_equal(rows.vector[rows.measured][0], relative(model_of(best), done).vector)


@pytest.mark.parametrize("side", ["left", "right"])
def test_grades_are_labels_of_the_sides_that_the_network_sees(made: Made, side: str) -> None:
    """Which is the left, whichever leg works."""
    rows = rows_of(made[0], f"S01_marching+{side}_Cut01.json")
    assert len(rows) > 0
    for grades in rows.grades:
        np.testing.assert_array_equal(grades, graded("S01", "left", 1))


def test_each_cut_is_shown_with_another_movement_and_out_of_order_too(made: Made) -> None:
    examples, _ = made
    for name in np.unique(examples.recording):
        foreign, shuffled = (rows_of(examples, name, kind) for kind in (FOREIGN, SHUFFLED))
        assert len(foreign) == len(shuffled) == 1
        assert foreign.exercise[0] != foreign.reference_exercise[0]
        assert np.isnan(foreign.grades).all()
        assert np.isnan(shuffled.grades).all()


def test_whoever_is_measured_had_no_part_in_training(made: Made) -> None:
    examples, _ = made
    counts = np.zeros(len(examples), int)
    for fold in folds_named("persons", examples)[1:]:
        training, test = fold.training(examples), fold.test(examples)
        seen = {*examples.person[training], *examples.reference_person[training]}
        assert seen.isdisjoint(examples.person[test])
        counts += test
    np.testing.assert_array_equal(counts, examples.measured.astype(int))


def test_what_cannot_be_used_is_reported_and_the_rest_is_used(made: Made, damaged: Made) -> None:
    examples, problems = damaged
    lost = set(made[0].recording) - set(examples.recording)
    assert lost == {
        "S05_squat+both_Cut02.json",
        "S04_squat+both_Cut02.json",
        *(f"{subject}_marching+right_Cut{number:02d}.json" for subject in SUBJECTS[:2] for number in (1, 2)),
    }
    assert len(problems) == len(lost)
    for name in lost:
        assert sum(name in problem for problem in problems) == 1, name
    said = "\n".join(problems)
    for complaint in ("Invalid JSON", "nothing moves in it", "no other subject's cut of this movement and side"):
        assert complaint in said


def test_an_empty_cell_teaches_nothing_and_the_others_do(damaged: Made) -> None:
    rows = rows_of(damaged[0], "S01_squat+both_Cut01.json")
    labels = labels_of(rows)
    known = labels["grades"][1].reshape(len(rows), 3, 5, 4) > 0
    np.testing.assert_array_equal(known.all(axis=3), known.any(axis=3))
    np.testing.assert_array_equal(known.all(axis=3), np.isfinite(rows.grades))
    assert (np.isnan(rows.grades).sum(axis=(1, 2)) == 1).all()


@pytest.fixture
def fifths() -> Distribution:
    weights = load_exercises()["squat"].assessment
    assert weights is not None
    scores = [score(Grades(np.full((3, 5), grade)), weights, "both") for grade in range(5)] * FEWEST
    return distribution_of({"squat": scores}, "made up in a test")


@pytest.mark.parametrize(("name", "level"), [("S01_squat+both_Cut01", None), ("S02_squat+both_Cut01", "above average")])
def test_there_is_a_level_where_all_that_counts_is_graded(
    damaged: Made, fifths: Distribution, name: str, level: str | None
) -> None:
    """The trunk counts in a squat, an arm does not."""
    rows = rows_of(damaged[0], f"{name}.json")
    five = UNKNOWN if level is None else LEVELS.index(level)  # type: ignore[arg-type]
    assert set(levelled(rows, rows.grades.astype(np.float64), fifths)) == {five}


def test_a_cut_that_is_not_graded_in_full_is_nobodys_reference(damaged: Made, pristine: Path) -> None:
    """Of the first subject the second cut is left, which is better than anybody else's."""
    rows = rows_of(damaged[0], "S03_squat+both_Cut01.json")
    first = rows.vector[rows.reference_person == "finerehab/S01"][0]
    left, done = (
        body_of(read_finerehab(pristine / name).recording)
        for name in ("S01_squat+both_Cut02.json", "S03_squat+both_Cut01.json")
    )
    np.testing.assert_array_equal(first, relative(model_of(left), done).vector)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda f: (f / "subject.csv").unlink(), "subject.csv: No such file"),
        (lambda f: [path.unlink() for path in f.glob("*.json")], "finerehab: nothing in it can be compared"),
    ],
)
def test_a_set_of_which_nothing_is_left_is_refused(
    pristine: Path, tmp_path: Path, damage: Callable[[Path], object], complaint: str
) -> None:
    folder = Path(shutil.copytree(pristine, tmp_path / "set"))
    damage(folder)
    with pytest.raises(ManifestError, match=complaint):
        examples_of(folder, lambda _: None)
