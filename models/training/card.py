"""`models/MODEL_CARD.md`, written whole from one run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from appliance.quality.model_file import ModelFile
from models.training.examples import FINEREHAB, ORDINARY, VIRTUAL_TESTS, Examples
from models.training.figures import Figure

_HEAD = """# Model card: quality of a movement relative to its reference

Written by `tools/train`; every figure is from that run, of int8 files run in the TFLite interpreter by the box's own
code, on persons that had no part in training. Nothing here is a diagnosis"""
_NO_FINEREHAB = """, and nothing is claimed about FineRehab's
recordings: they were not at hand.
"""
_FINEREHAB = """.

**FineRehab**: each cut relative to another subject's best graded one of the same movement and side. An empty cell of
its annotation is no grade. Weights and the bounds of the five levels are the box's own, not its experts'. Its layout is
read as `docs/finerehab.md` says; where that was assumed, the figures rest on it.
"""
_HOW = """
**Input**: one repetition relative to its reference, see `appliance/quality/relative.py`. **Output**: the calibrated
probability that it is done correctly; its level (0 best, as in the manifests: WMFT's healthy, mild, moderate are 0, 1,
2; virtual patients' fifths of FineRehab's score are 0 to 4); grades A_ij 0..4 by dimension and part of the body; which
of the sixteen movements it is; whether it is the reference's movement at all.

**Not sure**: input whose features lie further from those trained on than all but 0.5 % of ordinary persons held out is
called `not sure`; what does what the reference shows less surely than all but 5 % of them do is `other`, every data set
counting alike. The figures beside either mean little.

**How**: each figure of a fold is by a model trained without its persons (and, where a movement is unseen, without
that movement), converted by the same recipe. Calibration and limits of a fold come from the other folds; the shipped
file has the recipe, all shared persons, and the constants of all folds. The network's four parts share no weight, so
that a fold trains only those that it measures. The virtual tests are families of people, cameras and strangers that
are never trained on; the five levels are FineRehab's, from the grades. A nearest neighbour, which knows all the
training examples, stands below what is said of their movements, grades and levels.
"""


def card_of(model: ModelFile, network: bytes, examples: Examples, figures: list[Figure]) -> str:
    """The whole text."""
    head = _HEAD + (_FINEREHAB if FINEREHAB in examples.source else _NO_FINEREHAB) + _HOW
    lines = [head, f"Version `{model.version}`, {len(network) / 1000:.0f} kB, sha256 `{model.sha256}`.", ""]
    lines += [
        "## Data",
        "",
        "| set | persons | exercises | comparisons | of them ordinary | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row_of(examples, source) for source in sorted(set(examples.source.tolist()))]
    lines += [
        "",
        "Recordings are no part of the project. UI-PRMD was shared for training and testing, WMFT under BSD-3.",
        "",
    ]
    lines += ["## Figures", "", "| figure | value | target | met |", "|---|---|---|---|"]
    lines += [_line(figure) for figure in figures]
    return "\n".join([*lines, "", *_details(figures)]).rstrip() + "\n"


def _row_of(examples: Examples, source: str) -> str:
    of = examples.where(examples.source == source)
    ordinary = of.where(of.kind == ORDINARY)
    use = "measured only" if source == VIRTUAL_TESTS else "trained on"
    counts = (len(np.unique(of.person)), len(np.unique(ordinary.exercise)), len(of), len(ordinary))
    return f"| {source} | {' | '.join(map(str, counts))} | {use} |"


def _line(figure: Figure) -> str:
    return f"| {figure.name} | {figure.value:.3f} | {figure.target} | {_met(figure)} |"


def _met(figure: Figure) -> str:
    if not figure.target:
        return ""
    sign, limit = figure.target.split()
    return "yes" if (figure.value >= float(limit) if sign == ">=" else figure.value <= float(limit)) else "**no**"


def _details(figures: list[Figure]) -> Iterator[str]:
    yield "## By movement, and of whom"
    for figure in figures:
        if figure.persons:
            yield f"\n**{figure.name}**\n"
            if figure.by:
                yield ", ".join(f"{name} {value:.3f}" for name, value in figure.by.items()) + "."
            yield f"Persons, by fold: {figure.persons}."
