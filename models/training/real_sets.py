"""Examples from a folder of real recordings with a manifest whose column `level` says how well each was done."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from appliance.batch_manifest import read_manifest
from appliance.recording.files import read_recording
from appliance.scoring.body import body_of
from models.training.comparisons import OTHER_REFERENCES, Comparisons, Performed
from models.training.examples import Examples

_KNOWN = {"deep_squat": 15, "sit_to_stand": 12, "shoulder_abduction": 13}
"""UI-PRMD's movements that are among the sixteen; arms may be held otherwise."""


def examples_of(manifest: Path) -> Examples:
    """All rows of one manifest; what cannot be compared is left out."""
    table, name = read_manifest(manifest), manifest.parent.name
    rows = [row for row in table.rows if row.get("level")]
    performed = {row["file"]: _performed(manifest.parent, row) for row in rows}
    healthy = defaultdict(list)
    for done in performed.values():
        if done.level == 0:
            healthy[done.exercise].append(done)
    rng = np.random.default_rng(0)
    comparisons = Comparisons(name, rng)
    for row in rows:
        done, shown = performed[row["file"]], performed[row["reference"]]
        others = [each for each in healthy[done.exercise] if each.person != done.person and each is not shown]
        chosen = rng.choice(len(others), min(OTHER_REFERENCES, len(others)), replace=False)
        elsewhere = [each for exercise, its in healthy.items() if exercise != done.exercise for each in its]
        comparisons.add(done, [shown, *(others[at] for at in chosen)], elsewhere[rng.choice(len(elsewhere))])
    return comparisons.examples()


def _performed(folder: Path, row: dict[str, str]) -> Performed:
    recording = read_recording(folder / row["file"])
    return Performed(
        recording=row["file"],
        exercise=row["exercise"],
        person=f"{folder.name}/{row['person']}",
        seen=recording,
        body=body_of(recording),
        level=int(row["level"]),
        movement=_KNOWN.get(row["exercise"], 0),
    )
