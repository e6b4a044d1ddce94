"""Many comparisons: every row of a manifest scored on all cores, the rows in the manifest's order."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from appliance.batch_journal import Journal, identity_of
from appliance.batch_manifest import Manifest
from appliance.batch_workers import on_cluster, on_processes
from appliance.errors import NotScorableError, RehabBoxError
from appliance.exercises import load_exercises
from appliance.quality.dimensions import dimensions_of, level_of, side_of
from appliance.quality.judgement import Judge, shipped_judge
from appliance.quality.parts import DIMENSIONS
from appliance.recording.disk import write_whole
from appliance.recording.files import read_recording
from appliance.scoring.body import body_of
from appliance.scoring.components import Model, model_of
from appliance.scoring.files import compare_file, reference_from_file
from appliance.scoring.options import ScoringOptions, options_for
from appliance.scoring.prepare import PreparedReference

SCALARS = (
    "pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "phi_deg", "intensity", "intensity_reference",
    "mean_distance", "min_distance", "pairs", "cost", "mean_lag_s", "lag_spread_s", "tempo_ratio",
    "dissimilarity_extended",
)  # fmt: skip
"""Every scalar of `score`, as columns."""
JUDGED = ("quality", "level_predicted", "movement_predicted", *DIMENSIONS)
"""What the classifier says, as columns; empty where none is installed."""

_ROWS_PER_JOB = 8
_ROWS_WORTH_A_PROCESS = 32
"""Starting a worker costs about as much as scoring this many rows."""


@dataclass(frozen=True, slots=True)
class Task:
    """One row to score. reference, recording: None where the manifest names no file. exercise: None for a row that is
    not to be classified."""

    reference: Path | None
    recording: Path | None
    options: ScoringOptions
    exercise: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """status: `ok` or the reason; scalars: by `SCALARS`, judged: by `JUDGED`; both are empty where it failed. unjudged:
    why the classifier says nothing of a row that was scored."""

    status: str
    scalars: dict[str, float | None]
    judged: dict[str, float | str]
    unjudged: str = ""


def tasks_of(manifest: Manifest, *, by_exercise: bool = False, classified: bool = True) -> list[Task]:
    """The rows to score, all with HS-BTW's defaults, so that exercises and archives can be compared.

    by_exercise: an exercise that is one of ours brings the joints and the root of its file; any other name means the
    defaults still. classified: by the classifier too, where one is installed. Blanks around a name are a spreadsheet's,
    not the file's.
    """
    ours, folder = load_exercises() if by_exercise else {}, manifest.path.parent

    def task(reference: str, recording: str, exercise: str) -> Task:
        options = options_for(ours[exercise]) if exercise in ours else ScoringOptions()
        files = [folder / name if name else None for name in (reference, recording)]
        return Task(files[0], files[1], options, exercise if classified else None)

    return [task(*(row[name].strip() for name in ("reference", "file", "exercise"))) for row in manifest.rows]


def journal_of(out: Path, tasks: list[Task], judge: Judge | None) -> Journal:
    """Where the outcomes of these tasks are noted until `out` is written. judge: the classifier that takes part."""
    files = [path for task in tasks for path in (task.reference, task.recording) if path]
    made_by = (version("rehabbox"), *((judge.version, judge.levels) if judge else ()))
    return Journal(out, identity_of([made_by, SCALARS, JUDGED, *tasks], files))


def score_all(
    tasks: list[Task],
    advance: Callable[[], None] = lambda: None,
    journal: Journal | None = None,
    scheduler: str | None = None,
) -> list[Outcome]:
    """The outcomes in the order of the tasks; `advance` is called after each that is scored now.

    journal: knows those of an interrupted run, and is told the others. scheduler: the address of a Dask scheduler
    whose workers do it; else all cores do. Who does the work changes no result. Raises as `batch_workers`.
    """
    outcomes = {row: _outcome(noted) for row, noted in journal.known.items()} if journal else {}
    left = [(row, task) for row, task in enumerate(tasks) if row not in outcomes]
    jobs = [left[begin : begin + _ROWS_PER_JOB] for begin in range(0, len(left), _ROWS_PER_JOB)]
    workers = min(len(os.sched_getaffinity(0)), len(left) // _ROWS_WORTH_A_PROCESS)
    if scheduler is not None:
        jobs = [[(row, _anywhere(task)) for row, task in job] for job in jobs]
        done = on_cluster(score_job, jobs, scheduler)
    elif workers > 1:
        done = on_processes(score_job, jobs, workers)
    else:
        done = (score_job([numbered]) for numbered in left)
    for scored in done:
        for row, outcome in scored:
            outcomes[row] = outcome
            if journal:
                journal.note(row, asdict(outcome))
            advance()
    return [outcomes[row] for row in range(len(tasks))]


def _outcome(noted: Any) -> Outcome:
    return Outcome(**noted)


def _anywhere(task: Task) -> Task:
    """With names that mean the same in another process's folder."""
    reference, recording = (path and path.absolute() for path in (task.reference, task.recording))
    return replace(task, reference=reference, recording=recording)


def score_job(job: list[tuple[int, Task]]) -> list[tuple[int, Outcome]]:
    """A few rows at a time, each with its number, so that a worker is not asked for every single one."""
    return [(row, score_task(task)) for row, task in job]


def score_task(task: Task) -> Outcome:
    """One row; whatever is wrong with its files becomes its status."""
    if task.reference is None or task.recording is None:
        return Outcome(f"column {('file' if task.recording is None else 'reference')!r} is empty", {}, {})
    try:
        comparison = compare_file(_reference(task.reference, task.options), task.recording)
        scalars = {name: getattr(comparison, name) for name in SCALARS}
        try:
            return Outcome("ok", scalars, _judged(task.reference, task.recording, task.exercise))
        except NotScorableError as error:
            return Outcome("ok", scalars, {}, _line(error))
    except (RehabBoxError, OSError) as error:
        return Outcome(_line(error), {}, {})


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _judged(reference: Path, recording: Path, exercise: str | None) -> dict[str, float | str]:
    """By `JUDGED`; empty where no classifier is installed. Raises as `Judge.judge`."""
    if exercise is None or (judge := shipped_judge()) is None:
        return {}
    try:
        model = _model(reference)
    except NotScorableError as error:
        raise NotScorableError(f"the reference: {error}") from None
    found = judge.judge(model, body_of(read_recording(recording)))
    ours = load_exercises().get(exercise)
    dimensions = dimensions_of(found.grades, ours, model.movement)
    level = level_of(found, ours, side_of(model.movement, ours) if ours else "both", judge.distribution)
    return dict(zip(JUDGED, (found.quality, level, found.movement, *dimensions.values()), strict=True))


@lru_cache(maxsize=16)
def _model(reference: Path) -> Model:
    return model_of(body_of(read_recording(reference)))


@lru_cache(maxsize=16)
def _reference(path: Path, options: ScoringOptions) -> PreparedReference:
    return reference_from_file(path, options)


def write_results(path: Path, manifest: Manifest, outcomes: list[Outcome]) -> None:
    """The manifest's columns, then ours: numbers in full, an empty cell where there is none. Whole or not at all."""
    passed = [name for name in manifest.columns if name not in ("status", *SCALARS, *JUDGED)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*passed, "status", *SCALARS, *JUDGED])
    for row, outcome in zip(manifest.rows, outcomes, strict=True):
        numbers = (outcome.scalars.get(name) for name in SCALARS)
        cells = ("" if value is None or not math.isfinite(value) else repr(value) for value in numbers)
        judged = (outcome.judged.get(name, "") for name in JUDGED)
        writer.writerow([*(row[name] for name in passed), outcome.status, *cells, *judged])
    write_whole(path, text.getvalue().encode("utf-8"))
