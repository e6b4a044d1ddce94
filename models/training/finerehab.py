"""FineRehab's folders: every cut with its subject and its grades, one after another.

Stated by FineRehab (CVPRW 2024): a file for each cut, named `Subject_Movement+Side_CutNN.json`, an annotation and
information on the subjects. The rest is assumed: see docs/finerehab.md, and `models.training.finerehab_tables`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import ManifestError, RecordingError, RehabBoxError
from appliance.exercises import Exercise, load_exercises
from appliance.quality.score import Grades
from appliance.recording.finerehab_json import Cut, read_finerehab
from models.training.finerehab_tables import (
    ANNOTATION_FILE,
    SUBJECT_FILE,
    CutId,
    Report,
    Subject,
    cut_id,
    read_annotation,
    read_subjects,
)

_NAME = re.compile(r"(?P<subject>[^_+]+)_(?P<movement>[^+]+)\+(?P<side>[^_+]+)_Cut(?P<number>\d+)\.json")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One cut: what was recorded, of whom, doing what, and how it was graded. id.exercise: of our exercise files."""

    path: Path
    id: CutId
    cut: Cut
    subject: Subject
    grades: Grades


def samples(folder: Path, report: Report, exercises: Mapping[str, Exercise] | None = None) -> Iterator[Sample]:
    """Every cut in `folder` and below it, in the order of paths; one recording is in memory at a time.

    A file or row that is damaged, contradicts another or stands alone is given to `report` and left out. Two files of
    one cut, from two cameras in two folders, are two samples; in one folder the second is left out.
    exercises: by id; default all there are.
    Raises `ManifestError` where one of the two tables is missing or lacks a column.
    """
    known = load_exercises() if exercises is None else exercises
    subjects = read_subjects(folder / SUBJECT_FILE, report)
    annotation = read_annotation(folder / ANNOTATION_FILE, known, report)
    without_file, absent, taken = set(annotation), set(subjects), dict[tuple[Path, CutId], Path]()
    for path in sorted(folder.rglob("*.json")):
        if path.name.startswith("."):
            continue
        try:
            name = _id_in_name(path.name, path, known)
            without_file.discard(name)
            absent.discard(name.subject)
            if first := taken.get((path.parent, name)):
                raise RecordingError(f"{path}: is {_words(name)}, as {first.name} beside it is; the first is kept")
            sample = Sample(path, name, _cut(path, name, known), *_joined(path, name, subjects, annotation))
        except RehabBoxError as error:
            report(error)
        else:
            taken[path.parent, name] = path
            yield sample
    for name in sorted(without_file):
        report(ManifestError(f"{folder / ANNOTATION_FILE}: there is no file of {_words(name)}"))
    for subject in sorted(absent):
        report(ManifestError(f"{folder / SUBJECT_FILE}: there is no file of SubjectID {subject}"))


def _id_in_name(name: str, path: Path, exercises: Mapping[str, Exercise]) -> CutId:
    match = _NAME.fullmatch(name)
    if match is None:
        raise RecordingError(f"{path}: is not named Subject_Movement+Side_CutNN.json")
    try:
        return cut_id(match["subject"], match["movement"], match["side"], match["number"], exercises)
    except ManifestError as error:
        raise RecordingError(f"{path}: in its name, {error}") from None


def _joined(
    path: Path, name: CutId, subjects: Mapping[str, Subject], annotation: Mapping[CutId, Grades]
) -> tuple[Subject, Grades]:
    if name.subject not in subjects:
        raise ManifestError(f"{path}: {SUBJECT_FILE} has no readable row of SubjectID {name.subject!r}")
    if name not in annotation:
        raise ManifestError(f"{path}: {ANNOTATION_FILE} has no readable row of {_words(name)}")
    return subjects[name.subject], annotation[name]


def _cut(path: Path, name: CutId, exercises: Mapping[str, Exercise]) -> Cut:
    cut = read_finerehab(path)
    inside = _id_in_name(cut.file_name, path, exercises)
    if inside != name:
        raise RecordingError(f"{path}: is {_words(inside)} by its content and {_words(name)} by its name")
    return cut


def _words(name: CutId) -> str:
    return f"SubjectID {name.subject}, {name.exercise}, side {name.side}, CutID {name.number}"
