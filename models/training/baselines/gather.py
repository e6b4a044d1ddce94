"""Repetitions of virtual patients and of real recordings, into one file.

    python -m models.training.baselines.gather --persons N --out SAMPLES [MANIFEST...]

Runs in the box's own environment.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.batch_manifest import read_manifest
from appliance.errors import NotScorableError
from appliance.exercises import load_exercises
from appliance.quality.levels import Distribution, place
from appliance.quality.parts import LEVELS
from appliance.quality.score import Grades, score
from appliance.recording.files import read_recording
from appliance.scoring.body import RATE_HZ, body_of
from appliance.skeleton.standard import recording_of
from hal.virtual.cases import Case, cases
from models.training import virtual
from models.training.baselines.kinematics import course_of, features_of
from models.training.baselines.samples import OTHER_FAMILIES, VIRTUAL, Samples, joined

SEED = 31
REPETITIONS = 3
"""Of every virtual patient."""
_SHORTEST = 8
"""Frames; less is no repetition."""
_OF_TESTS = 4
"""One patient of the other families for so many of the training ones."""


class _Rows:
    """Samples of one data set, gathered one by one."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: list[dict[str, object]] = []

    def add(
        self, positions: NDArray[np.float64], exercise: str, person: str, of_set: str, level: int, label: str
    ) -> None:
        """positions: (frames, 17, 3) of one repetition; one that is too short is left out."""
        if len(positions) < _SHORTEST:
            return
        self._rows.append(
            {
                "course": course_of(positions),
                "features": features_of(positions),
                "source": self._source,
                "exercise": exercise,
                "person": f"{self._source}/{person}",
                "set": f"{self._source}/{of_set}",
                "level": np.int8(level),
                "label": label,
            }
        )

    def samples(self) -> Samples:
        """Raises `ValueError` where nothing was added."""
        if not self._rows:
            raise ValueError(f"{self._source}: holds no repetition that can be used")
        return Samples(**{name: np.array([row[name] for row in self._rows]) for name in self._rows[0]})


def virtual_samples(persons: int) -> Samples:
    """Virtual patients of the training families and a quarter as many of the others.

    Levels are fifths of the scores of these training patients, by movement.
    """
    drawn = list(cases("training", persons, SEED, (REPETITIONS, REPETITIONS), strange=0.0))
    tests = cases("test", persons // _OF_TESTS, SEED, (REPETITIONS, REPETITIONS), strange=0.0)
    fifths = virtual.distribution(drawn)
    return joined([samples_of(VIRTUAL, drawn, fifths), samples_of(OTHER_FAMILIES, tests, fifths)])


def samples_of(source: str, drawn: Iterable[Case], fifths: Distribution) -> Samples:
    """One set each, of cases done as asked; every one is of a person of their own.

    A case of which the camera saw too little is left out.
    """
    rows = _Rows(source)
    for index, case in enumerate(drawn):
        level = _level(case, fifths)
        for repetition in _repetitions(case):
            rows.add(repetition, case.exercise, f"{index:05}", f"{index:05}", level, LEVELS[-1 - level])
    return rows.samples()


def _level(case: Case, fifths: Distribution) -> int:
    """0 best to 4."""
    weights = load_exercises()[case.exercise].assessment
    if weights is None:
        raise NotScorableError(f"{case.exercise}: its file has no [assessment], so virtual patients have no level")
    placing = place(score(Grades(case.grades.astype(np.float64)), weights, case.side), case.exercise, fifths)
    if placing.level is None:
        raise NotScorableError(f"{case.exercise}: {placing.no_level}")
    return len(LEVELS) - 1 - LEVELS.index(placing.level)


def _repetitions(case: Case) -> Iterator[NDArray[np.float64]]:
    seen = case.performed
    try:
        body = body_of(recording_of(seen.times, seen.positions, seen.confidence, gravity="accelerometer"))
    except NotScorableError:
        return
    for start, end in np.round((seen.bounds - seen.times[0]) * RATE_HZ).astype(int):
        yield body.about_pelvis[max(start, 0) : end + 1]


def real_samples(manifest: Path) -> Samples:
    """Every recording of a manifest is one repetition; those of one person at one level are a set.

    A seated person's hips are hidden by the table, so that their skeleton is normalised about the thorax.
    """
    table, rows = read_manifest(manifest), _Rows(manifest.parent.name)
    for row in table.rows:
        if not row.get("level"):
            continue
        try:
            body = body_of(read_recording(manifest.parent / row["file"]))
        except NotScorableError:
            continue
        positions = body.about_thorax if row.get("position") == "seated" else body.about_pelvis
        of_set = "/".join(row[name] for name in ("exercise", "person", "level"))
        rows.add(positions, row["exercise"], row["person"], of_set, int(row["level"]), row.get("label") or row["level"])
    return rows.samples()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifests", type=Path, nargs="*")
    parser.add_argument("--persons", type=int, required=True, help="virtual patients of the training families")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    parts = [virtual_samples(options.persons), *map(real_samples, options.manifests)]
    joined(parts).save(options.out)
    for part in parts:
        print(f"{part.source[0]}: {len(part)} repetitions of {len(set(part.person.tolist()))} persons", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
