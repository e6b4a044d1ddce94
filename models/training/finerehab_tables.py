"""The two tables of a FineRehab-style set: who the subjects are, and how each cut was graded.

That there is an annotation of each cut and information on each subject is FineRehab's (CVPRW 2024). The published files
were not at hand: their names, their columns and how sides are written are ours, all of it in this file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from appliance.errors import ManifestError, NotScorableError, RehabBoxError
from appliance.exercises import Exercise
from appliance.messages.prescription import Side
from appliance.quality.parts import BEST, BODY_PARTS, DIMENSIONS
from appliance.quality.score import Grades
from appliance.recording.finerehab_json import SIDE_IDS, plain
from appliance.separators import separator_hint

SUBJECT_FILE = "subject.csv"
SUBJECT_COLUMNS = ("SubjectID", "Age", "Group")
ANNOTATION_FILE = "annotation.csv"
ID_COLUMNS = ("SubjectID", "MovementID", "SideID", "CutID")
GRADE_COLUMNS = tuple(f"{dimension}_{part}" for dimension in DIMENSIONS for part in BODY_PARTS)
OLDEST = 120

Report = Callable[[RehabBoxError], None]
"""Takes what is wrong with one row or file, which is left out; the rest goes on."""


@dataclass(frozen=True, slots=True)
class Subject:
    """id: as in files' names. age: years, or None. group: as the table has it, such as healthy or patient."""

    id: str
    age: float | None
    group: str


class CutId(NamedTuple):
    """Names one cut, in file names and in the annotation alike. exercise: the id of our exercise file."""

    subject: str
    exercise: str
    side: Side
    number: int


def cut_id(subject: str, movement: str, side: str, number: str, exercises: Mapping[str, Exercise]) -> CutId:
    """From the four parts as text. A movement is an exercise's id or its `number`, a side a word or its number.

    Raises `ManifestError` that says which part cannot be read, without saying where it stands.
    """
    named = {plain(name): name for name in exercises}
    numbered = {exercise.number: name for name, exercise in exercises.items() if exercise.number is not None}
    exercise = named.get(plain(movement)) or (numbered.get(int(movement)) if _whole(movement) else None)
    sides = {name: name for name in SIDE_IDS} | {str(identifier): name for name, identifier in SIDE_IDS.items()}
    if not subject.strip():
        raise ManifestError("SubjectID is empty")
    if exercise is None:
        raise ManifestError(f"MovementID is {movement!r}, neither an exercise's id nor its number")
    if side.lower() not in sides:
        raise ManifestError(f"SideID is {side!r}, none of {', '.join(sides)}")
    if not _whole(number):
        raise ManifestError(f"CutID is {number!r}, not a whole number")
    return CutId(plain(subject), exercise, sides[side.lower()], int(number))


def read_subjects(path: Path, report: Report) -> dict[str, Subject]:
    """By id. A row that cannot be read, or whose id is taken, is reported. Raises `ManifestError` for no such table."""
    subjects: dict[str, Subject] = {}
    for where, row in _rows(path, SUBJECT_COLUMNS, report):
        name, age, group = (row[column] for column in SUBJECT_COLUMNS)
        years = _number(age) if age else None
        if not name or not group:
            report(ManifestError(f"{where}: {'Group' if name else 'SubjectID'} is empty"))
        elif years is not None and not 0 <= years <= OLDEST:
            report(ManifestError(f"{where}: Age is {age!r}, not a number from 0 to {OLDEST}"))
        elif plain(name) in subjects:
            report(ManifestError(f"{where}: SubjectID {name!r} is there already; the first row is kept"))
        else:
            subjects[plain(name)] = Subject(plain(name), years, group)
    return subjects


def read_annotation(path: Path, exercises: Mapping[str, Exercise], report: Report) -> dict[CutId, Grades]:
    """A_ij of each cut; an empty cell is no grade. As for bad rows and tables: as `read_subjects`."""
    annotation: dict[CutId, Grades] = {}
    for where, row in _rows(path, (*ID_COLUMNS, *GRADE_COLUMNS), report):
        subject, movement, side, number = (row[column] for column in ID_COLUMNS)
        try:
            cut = cut_id(subject, movement, side, number, exercises)
            if cut in annotation:
                raise ManifestError("this cut is annotated already; the first row is kept")
            annotation[cut] = _grades(row)
        except (ManifestError, NotScorableError) as error:
            report(ManifestError(f"{where}: {error}"))
    return annotation


def _grades(row: Mapping[str, str]) -> Grades:
    values = []
    for column in GRADE_COLUMNS:
        value = _number(row[column])
        if row[column] and not 0 <= value <= BEST:
            raise ManifestError(f"{column} is {row[column]!r}, not a grade from 0 to {BEST:g}")
        values.append(value)
    if np.isnan(values).all():
        raise ManifestError("holds no grade")
    return Grades(np.reshape(values, (len(DIMENSIONS), len(BODY_PARTS))))


def _rows(path: Path, columns: tuple[str, ...], report: Report) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row stands, and its cells by column. Lines are read one by one, so that a stray quote costs one."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}; a FineRehab-style set needs it") from None
    with file:
        header = [name.strip() for name in _cells(f"{path}: line 1", file.readline().removeprefix(b"\xef\xbb\xbf"))]
        for column in columns:
            if header.count(column) != 1:
                many = "more than once" if column in header else "not"
                hint = separator_hint(",".join(header))
                raise ManifestError(f"{path}: the column {column!r} is {many} in line 1{hint}")
        for number, line in enumerate(file, 2):
            if not line.strip():
                continue
            where = f"{path}: line {number}"
            try:
                cells = _cells(where, line)
                if len(cells) != len(header):
                    raise ManifestError(f"{where}: has {len(cells)} cells where the header has {len(header)}")
            except ManifestError as error:
                report(error)
                continue
            yield where, dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _cells(where: str, line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode().rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError:
        raise ManifestError(f"{where}: is not UTF-8 text: save the table as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise ManifestError(f"{where}: is not CSV: {error}") from None


def _number(text: str) -> float:
    """NaN for what is no number, as for an empty cell."""
    try:
        return float(text)
    except ValueError:
        return np.nan


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
