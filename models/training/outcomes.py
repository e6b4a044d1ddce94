"""What the int8 files say of the rows they never saw, and the constants that are chosen from that."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from appliance.quality.judgement import standardised, strangeness
from appliance.quality.model_file import Calibration, Limits, Standardisation
from appliance.quality.network import Network
from models.training.examples import ORDINARY, UNKNOWN, VIRTUAL_TESTS, Examples
from models.training.folds import Fold
from models.training.measures import Floats, least_of, platt
from models.training.recipe import CLIP

OTHER_AT_MOST, STRANGE_AT_MOST = 0.05, 0.005
"""Of ordinary persons held out, the two limits turn away so many: what was done is told better by the network."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of one fold's test rows. outputs: by head, (rows, n) of the int8 file, as logits; float_outputs: of the network
    before conversion. strange: (rows,) see `appliance.quality.judgement.strangeness`. seconds: of one core
    that the int8 file takes for a row, the median."""

    fold: Fold
    examples: Examples
    outputs: dict[str, Floats]
    float_outputs: dict[str, Floats]
    strange: Floats
    seconds: float = 0.0

    @property
    def logits(self) -> Floats:
        """(rows,) of being correct."""
        return self.outputs["correct"][:, 0]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(rows,) ordinary ones of which it is known how well they were done."""
        return np.asarray(self.examples.level != UNKNOWN)

    @property
    def correct(self) -> NDArray[np.bool_]:
        return np.asarray(self.examples.level == 0)


def run_fold(fold: Fold, examples: Examples, folder: Path) -> Outcomes:
    """Runs NAME.tflite of that fold on its test rows, in the box's own interpreter and by the box's own code."""
    test = examples.where(fold.test(examples))
    network = Network((folder / f"{fold.name}.tflite").read_bytes())
    sequence, vector = standardisations(folder, fold)
    inputs = [
        {"sequence": standardised(s, sequence, CLIP), "vector": standardised(v, vector, CLIP)}
        for s, v in zip(test.sequence.astype(np.float32), test.vector, strict=True)
    ]
    rows, spent = [], [time.thread_time()]
    for each in inputs:
        rows.append(network.run(each))
        spent.append(time.thread_time())
    with np.load(folder / f"{fold.name}.npz") as stored:
        floats = {name: stored[name].astype(np.float64) for name in stored.files}
    outputs = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    seconds = float(np.median(np.diff(spent)))
    return Outcomes(fold, test, outputs, floats, strangeness(test.vector, vector), seconds)


def standardisations(folder: Path, fold: Fold) -> tuple[Standardisation, Standardisation]:
    """Of the sequence and the vector."""
    stored = json.loads((folder / f"{fold.name}.json").read_text("utf-8"))
    return (
        Standardisation(mean=stored["sequence_mean"], spread=stored["sequence_spread"]),
        Standardisation(mean=stored["mean"], spread=stored["spread"]),
    )


def chosen(outcomes: list[Outcomes]) -> tuple[Calibration, Limits]:
    """Calibration and limits from persons held out; without real ones the logits are taken as they are. Every data set
    counts alike in the limits, and virtual tests choose nothing, unless there is nothing else."""
    known = [(each.logits[each.known], each.correct[each.known]) for each in outcomes]
    logits, correct = (np.concatenate([each[part] for each in known]) for part in (0, 1))
    slope, offset = platt(logits, correct.astype(bool)) if len(logits) else (1.0, 0.0)
    source = np.concatenate([each.examples.source for each in outcomes])
    ordinary = np.concatenate([each.examples.kind == ORDINARY for each in outcomes])
    if (ordinary & (source != VIRTUAL_TESTS)).any():
        ordinary &= source != VIRTUAL_TESTS
    same = np.concatenate([each.outputs["same"][:, 0] for each in outcomes])[ordinary]
    strange = np.concatenate([each.strange for each in outcomes])[ordinary]
    limits = Limits(
        same=least_of(same, source[ordinary], OTHER_AT_MOST),
        strangeness=-least_of(-strange, source[ordinary], STRANGE_AT_MOST),
    )
    return Calibration(slope=slope, offset=offset), limits
