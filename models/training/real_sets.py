"""Examples from a folder of real recordings with a manifest whose column `level` says how well each was done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from appliance.batch_manifest import read_manifest
from appliance.errors import NotScorableError
from appliance.quality.relative import relative
from appliance.recording.files import read_recording
from appliance.scoring.body import body_of
from appliance.scoring.components import Model, model_of
from appliance.skeleton.standard import Recording
from models.training.collector import Collector
from models.training.examples import FOREIGN, ORDINARY, SHUFFLED, Examples

OTHER_REFERENCES = 3
"""Healthy recordings of other persons that each one is compared with beside the manifest's reference."""
_KNOWN = {"deep_squat": 15, "sit_to_stand": 12, "shoulder_abduction": 13}
"""UI-PRMD's movements that are among the sixteen; arms may be held otherwise."""


def examples_of(manifest: Path) -> Examples:
    """All rows of one manifest; what cannot be compared is left out."""
    table, name = read_manifest(manifest), manifest.parent.name
    rows = [row for row in table.rows if row.get("level")]
    recordings = {row["file"]: read_recording(manifest.parent / row["file"]) for row in rows}
    bodies = {file: body_of(recording) for file, recording in recordings.items()}
    persons = {row["file"]: f"{name}/{row['person']}" for row in rows}
    exercises = {row["file"]: row["exercise"] for row in rows}
    healthy = defaultdict(list)
    for row in rows:
        if float(row["level"]) == 0:
            healthy[row["exercise"]].append(row["file"])
    models: dict[str, Model] = {}
    rng = np.random.default_rng(0)
    found = Collector(name)

    def compare(row: dict[str, str], reference: str, kind: int) -> None:
        body = bodies[row["file"]]
        if kind == SHUFFLED:
            body = body_of(shuffled(recordings[row["file"]], rng))
        if reference not in models:
            models[reference] = model_of(bodies[reference])
        try:
            compared = relative(models[reference], body)
        except NotScorableError:
            return
        found.add(
            compared,
            exercise=row["exercise"],
            reference_exercise=exercises[reference],
            person=persons[row["file"]],
            reference_person=persons[reference],
            recording=row["file"],
            level=int(row["level"]),
            movement=_KNOWN.get(row["exercise"], 0),  # what was done, whatever the reference shows
            kind=kind,
            measured=kind != ORDINARY or reference == row["reference"],
        )

    for row in rows:
        others = [f for f in healthy[row["exercise"]] if persons[f] != persons[row["file"]] and f != row["reference"]]
        chosen = rng.choice(others, min(OTHER_REFERENCES, len(others)), replace=False).tolist()
        for reference in (row["reference"], *chosen):
            if reference != row["file"]:
                compare(row, reference, ORDINARY)
        elsewhere = [file for exercise, files in healthy.items() if exercise != row["exercise"] for file in files]
        compare(row, str(rng.choice(elsewhere)), FOREIGN)
        compare(row, row["reference"], SHUFFLED)
    return found.examples()


def shuffled(recording: Recording, rng: np.random.Generator) -> Recording:
    """The same frames in another order, in eight to twenty pieces: no frame is strange, their course is."""
    pieces = np.array_split(np.arange(len(recording)), int(rng.integers(8, 21)))
    order = np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
    return replace(recording, positions=recording.positions[order], confidence=recording.confidence[order])
