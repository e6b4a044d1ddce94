"""A set in FineRehab's layout: made by the box's own exporter from virtual patients, read back, and damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.errors import ManifestError, RehabBoxError
from appliance.exercises import load_exercises
from appliance.quality.levels import FEWEST, distribution_of, place
from appliance.quality.parts import BODY_PARTS, DIMENSIONS, LEVELS
from appliance.quality.score import Grades, score
from appliance.recording.finerehab_json import read_finerehab, write_finerehab
from models.training.finerehab import Sample, samples
from models.training.finerehab_tables import GRADE_COLUMNS, ID_COLUMNS, SUBJECT_COLUMNS, CutId, Subject
from tests.models.training.small_set import cuts_of, write_table

SUBJECTS = {"S01": ("64", "patient"), "S 02": ("", "healthy")}
DONE = (("squat", "both"), ("seated_knee_extension", "left"))


def graded(subject: str, exercise: str, number: int) -> np.ndarray:
    """(3, 5) grades that tell one cut from another."""
    start = 5 * list(SUBJECTS).index(subject) + 2 * [name for name, _ in DONE].index(exercise) + number
    return np.arange(start, start + 15).reshape(3, 5) % 5


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, two movements, two cuts of each; one movement's files in a folder of their own."""
    folder, sessions = tmp_path_factory.mktemp("set"), tmp_path_factory.mktemp("sessions")
    (folder / "lower").mkdir()
    annotation: list[list[str]] = []
    for subject in SUBJECTS:
        for exercise, side in DONE:
            cuts = cuts_of(subject, list(SUBJECTS).index(subject), exercise, side, sessions)
            assert [cut.number for cut in cuts] == [1, 2]
            for cut in cuts:
                write_finerehab(folder / "lower" if exercise == "squat" else folder, cut)
                values = graded(subject, exercise, cut.number)
                annotation.append([subject, exercise, side, str(cut.number), *map(str, values.flat)])
    write_table(folder / "annotation.csv", [*ID_COLUMNS, *GRADE_COLUMNS], annotation)
    write_table(folder / "subject.csv", [*SUBJECT_COLUMNS], [[name, *rest] for name, rest in SUBJECTS.items()])
    return folder


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "set"))


def load(folder: Path) -> tuple[list[Sample], list[str]]:
    problems: list[RehabBoxError] = []
    found = list(samples(folder, problems.append))
    assert all("\n" not in str(problem) and str(folder) in str(problem) for problem in problems)
    return found, [str(problem) for problem in problems]


def test_every_cut_comes_with_its_subject_and_its_grades(pristine: Path) -> None:
    found, problems = load(pristine)
    assert problems == []
    assert {sample.id for sample in found} == {
        CutId(subject.replace(" ", "-"), exercise, side, number)  # type: ignore[arg-type]
        for subject in SUBJECTS
        for exercise, side in DONE
        for number in (1, 2)
    }
    for sample in found:
        subject, exercise, number = sample.cut.subject, sample.cut.movement, sample.cut.number
        np.testing.assert_array_equal(sample.grades.values, graded(subject, exercise, number))
        assert sample.path.name == sample.cut.file_name
        assert sample.cut.recording.duration_s > 1
    assert {sample.subject for sample in found} == {Subject("S01", 64.0, "patient"), Subject("S-02", None, "healthy")}


def test_nothing_is_read_before_it_is_asked_for(folder: Path) -> None:
    problems: list[RehabBoxError] = []
    stream = samples(folder, problems.append)
    first = next(stream)
    for path in folder.rglob("*.json"):
        path.unlink()
    assert list(stream) == []
    assert first.cut.recording.positions.shape[1:] == (17, 3)
    assert len(problems) == 7
    assert all("no such file" in str(problem) for problem in problems)


def test_numbers_stand_for_movements_and_sides_as_well(folder: Path) -> None:
    rename(folder / "lower" / "S01_squat+both_Cut01.json", "S01_15+2_Cut1.json")
    edit(folder / "annotation.csv", "S01,squat,both,1", "S01,15,2,01")
    found, problems = load(folder)
    assert problems == []
    assert len(found) == 8


def test_one_cut_from_two_cameras_is_two_samples(folder: Path) -> None:
    (folder / "side").mkdir()
    shutil.copy(folder / SQUAT, folder / "side")
    found, problems = load(folder)
    assert problems == []
    assert len(found) == 9


def test_its_scores_make_a_distribution_that_gives_levels(pristine: Path) -> None:
    weights = load_exercises()["squat"].assessment
    assert weights is not None
    squats = [sample for sample in load(pristine)[0] if sample.id.exercise == "squat"]
    scored = [score(sample.grades, weights, sample.id.side) for sample in squats] * FEWEST
    distribution = distribution_of({"squat": scored}, "made up in a test")
    assert place(max(scored, key=lambda each: each.value), "squat", distribution).level == LEVELS[-1]
    worst = score(Grades(np.zeros((3, 5))), weights, "both")
    assert place(worst, "squat", distribution).level == LEVELS[0]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes()
    assert text.count(old.encode()) == 1
    path.write_bytes(text.replace(old.encode(), new.encode("latin-1")))


def resave(path: Path, separator: str) -> None:
    """As a spreadsheet does where the decimal sign is a comma."""
    path.write_text(path.read_text().replace(",", separator))


def add(path: Path, row: str) -> None:
    with path.open("a") as file:
        file.write(row)


def rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def as_another(path: Path) -> None:
    """The file's content becomes that of another subject's."""
    other = replace(read_finerehab(path), subject="S09")
    shutil.move(write_finerehab(path.parent, other), path)


SQUAT, LOST = "lower/S01_squat+both_Cut02.json", "S01, squat, side both, CutID 2"


@pytest.mark.parametrize(
    ("damage", "left", "complaints"),
    [
        (lambda f: (f / SQUAT).unlink(), 7, [f"annotation.csv: there is no file of SubjectID {LOST}"]),
        (lambda f: shutil.copy(f / SQUAT, f / "lower/S01_15+2_Cut2.json"), 8,
         [f"S01_squat+both_Cut02.json: is SubjectID {LOST}, as S01_15+2_Cut2.json beside it is"]),
        (lambda f: add(f / "subject.csv", "S03,,healthy\n"), 8, ["subject.csv: there is no file of SubjectID S03"]),
        (lambda f: (f / SQUAT).write_text("{"), 7, ["Cut02.json: is no FineRehab-style 1 file: Invalid JSON"]),
        (lambda f: (f / SQUAT).write_text(json.dumps({"Format": "x"})), 7, ["Cut02.json: is no", "Format"]),
        (lambda f: as_another(f / SQUAT), 7, ["Cut02.json: is SubjectID S09, squat", "by its content"]),
        (lambda f: rename(f / SQUAT, "squat.json"), 7, ["is not named Subject_Movement", "there is no file of"]),
        (lambda f: rename(f / SQUAT, "S01_99+both_Cut02.json"), 7, ["in its name, MovementID is '99'", "no file of"]),
        (lambda f: rename(f / SQUAT, "S01_squat+up_Cut02.json"), 7, ["in its name, SideID is 'up'", "no file of"]),
        (lambda f: edit(f / "subject.csv", "S01,64", "S01,old"), 4, ["line 2: Age is 'old'"] + ["SubjectID 'S01'"] * 4),
        (lambda f: edit(f / "subject.csv", ",healthy", ","), 4, ["line 3: Group is empty"] + ["SubjectID 'S-02'"] * 4),
        (lambda f: edit(f / "subject.csv", "S 02", "S01"), 4, ["line 3: SubjectID 'S01' is there"] + ["'S-02'"] * 4),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2,2", "S01,squat,both,2,5"), 7,
         ["line 3: completeness_trunk is '5', not a grade from 0 to 4", f"no readable row of SubjectID {LOST}"]),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2", "S01,squat,both,1"), 7,
         ["line 3: this cut is annotated already", "no readable row"]),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2", "S01,squat,both,two"), 7,
         ["line 3: CutID is 'two', not a whole number", "no readable row"]),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2", '"S01,squat,both,2'), 7,
         ["line 3: is not CSV", "no readable row"]),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2", "S01,squat,2"), 7,
         ["line 3: has 18 cells where the header has 19", "no readable row"]),
        (lambda f: edit(f / "annotation.csv", "S01,squat,both,2", "S01,kn\xfcp,both,2"), 7,
         ["line 3: is not UTF-8", "no readable row"]),
    ],
)  # fmt: skip
def test_what_is_damaged_is_reported_and_the_rest_loads(
    folder: Path, damage: Callable[[Path], object], left: int, complaints: list[str]
) -> None:
    damage(folder)
    found, problems = load(folder)
    assert len(found) == left
    for complaint in complaints:
        assert any(complaint in problem for problem in problems), problems
    assert len(problems) <= len(complaints)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda f: (f / "subject.csv").unlink(), "subject.csv: No such file"),
        (lambda f: (f / "annotation.csv").write_text(""), "annotation.csv: the column 'SubjectID' is not in line 1"),
        (lambda f: edit(f / "annotation.csv", "smoothness_trunk", "smooth"), "the column 'smoothness_trunk' is not"),
        (lambda f: edit(f / "subject.csv", "Age", "Group"), "subject.csv: the column 'Age' is not in line 1"),
        (
            lambda f: resave(f / "annotation.csv", ";"),
            "annotation.csv: the column 'SubjectID' is not in line 1; its cells"
            " seem to be separated by semicolons: save it with commas",
        ),
        (lambda f: resave(f / "subject.csv", "\t"), "separated by tabs: save it with commas"),
        (lambda f: edit(f / "subject.csv", "Age,Group", "Age,Age"), "the column 'Age' is more than once in line 1"),
    ],
)
def test_a_set_without_its_tables_is_refused(folder: Path, damage: Callable[[Path], object], complaint: str) -> None:
    damage(folder)
    with pytest.raises(ManifestError) as error:
        load(folder)
    assert complaint in str(error.value)


def test_a_table_as_spreadsheets_write_it_is_read(folder: Path) -> None:
    for name in ("annotation.csv", "subject.csv"):
        text = (folder / name).read_text()
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n")
    found, problems = load(folder)
    assert (len(found), problems) == (8, [])


def test_a_part_nobody_graded_has_no_grade(folder: Path) -> None:
    edit(folder / "annotation.csv", "S01,squat,both,2,2,3", "S01,squat,both,2,2,")
    grades = next(sample.grades for sample in load(folder)[0] if sample.path.name == Path(SQUAT).name)
    assert grades.of(DIMENSIONS[0], BODY_PARTS[1]) is None
    assert grades.of(DIMENSIONS[0], BODY_PARTS[0]) == 2.0
