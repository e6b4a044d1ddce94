"""The pictures of the page of baselines. Their layout is ours: the papers' own were not at hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from appliance.scoring.pictures import MARKERS, PALETTE, draw, legend_beside
from models.training.baselines.classics import MOST_FREQUENT
from models.training.baselines.published import PUBLISHED
from models.training.baselines.runs import Run, Task
from models.training.baselines.samples import OTHER_FAMILIES, UI_PRMD, VIRTUAL, WMFT

NAMES = {VIRTUAL: "virtual patients", OTHER_FAMILIES: "virtual, other families", UI_PRMD: "UI-PRMD", WMFT: "WMFT"}
"""Data sets as people call them, in the page's order."""
_NETWORKS = ("ST-GCN", "UNIK")
_SMALL = 8
"""Classes; a matrix of more has a picture of its own."""


def draw_all(folder: Path, runs: list[Run]) -> list[str]:
    """Their names, those without the data they need left out. Raises `RecordingError` where the disk refuses."""
    drawings: dict[str, Callable[[Figure], None]] = {}
    for task in ("movement", "level"):
        if of := [run for run in runs if run.task == task and run.split == "3:1"]:
            drawings[task] = partial(_accuracies, runs=of, task=task)
        best = [found for source in sources_of(of) if (found := _best(of, source))]
        large, small = ([run for run in best if (len(run.classes) > _SMALL) == want] for want in (True, False))
        for name, matrices in ((f"{task}_confusion", large), (f"{task}_confusions", small)):
            if matrices:
                drawings[name] = partial(_confusions, runs=matrices)
    if folds := [run for run in runs if (run.task, run.split) == ("level by movement", "five folds")]:
        drawings["level_by_movement"] = partial(_by_movement, runs=[r for r in folds if r.given == "repetitions"])
    draw(folder, drawings)
    return list(drawings)


def sources_of(runs: list[Run]) -> list[str]:
    """The data sets that are in these, in the page's order; those without a name of ours come last."""
    own = list(NAMES)
    return sorted({run.source for run in runs}, key=lambda s: (own.index(s) if s in NAMES else len(own), s))


def name_of(source: str) -> str:
    """As people call it; one that is not known goes by its folder's name."""
    return NAMES.get(source, source)


def label_of(run: Run) -> str:
    """The system, and how it was trained where that is a choice."""
    if run.system not in _NETWORKS:
        return run.system
    return f"{run.system}, {'no' if run.augmentation == 'none' else run.augmentation} augmentation"


def _best(runs: list[Run], source: str) -> Run | None:
    """Of the networks; virtual patients of other families are pictured with the others in no matrix."""
    of = [run for run in runs if run.source == source != OTHER_FAMILIES and run.system in _NETWORKS]
    return max(of, key=lambda run: run.accuracy, default=None)


def _accuracies(figure: Figure, runs: list[Run], task: Task) -> None:
    axes = figure.add_subplot()
    names = dict.fromkeys(label_of(run) for run in runs)
    systems = sorted(names, key=lambda name: name == MOST_FREQUENT)[::-1]
    sources = sources_of(runs)
    for index, source in enumerate(sources):
        of = [run for run in runs if run.source == source]
        axes.plot(
            [100.0 * run.accuracy for run in of],
            [systems.index(label_of(run)) for run in of],
            linestyle="none",
            marker=MARKERS[index],
            color=PALETTE[index],
            label=name_of(source) + (f", {len(of[0].classes)} levels" if task == "level" else ""),
        )
    for published in PUBLISHED:
        if published.task == task:
            axes.axvline(
                100.0 * published.accuracy, color="black", linestyle=":", label="FineRehab's best,\nother data"
            )
    axes.set_yticks(range(len(systems)), systems)
    axes.set_xlim(0.0, 102.0)
    axes.set_xlabel("right, % of repetitions of persons never trained on (3:1)")
    axes.set_title(
        "Which movement is it?" if task == "movement" else "How well was it done? One system for all movements"
    )
    axes.grid(alpha=0.3)
    legend_beside(axes)


def _confusions(figure: Figure, runs: list[Run]) -> None:
    """One matrix beside the other."""
    for axes, run in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs, strict=True):
        _confusion(axes, run)


def _confusion(axes: Axes, run: Run) -> None:
    counts = np.array(run.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    names = [name.replace("_", " ") for name in run.classes]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for (row, column), share in np.ndenumerate(shares):
        if counts[row, column]:
            ink = "white" if share > 0.6 else "black"
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=6, color=ink)
    axes.set_xlabel("said, % of the row", fontsize=8)
    axes.set_ylabel("true", fontsize=8)
    axes.set_title(f"{name_of(run.source)}: {100 * run.accuracy:.0f} % right\n{label_of(run)}", fontsize=8)


def _by_movement(figure: Figure, runs: list[Run]) -> None:
    sources = sources_of(runs)
    columns = [(s, name) for s in sources for name in sorted(next(r for r in runs if r.source == s).by)]
    systems = [system for system in dict.fromkeys(run.system for run in runs) if system != MOST_FREQUENT]
    by = {(run.system, run.source): run.by for run in runs}
    values = np.array([[100.0 * by[system, s].get(name, np.nan) for s, name in columns] for system in systems])
    axes = figure.add_subplot()
    image = axes.imshow(values, cmap="viridis", vmin=0.0, vmax=100.0, aspect="auto")
    axes.set_yticks(range(len(systems)), systems)
    axes.set_xticks(range(len(columns)), [name.replace("_", " ") for _, name in columns], rotation=90, fontsize=7)
    for (row, column), value in np.ndenumerate(values):
        ink = "black" if value > 60.0 else "white"
        axes.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=6, color=ink)
    for index in range(1, len(columns)):
        if columns[index][0] != columns[index - 1][0]:
            axes.axvline(index - 0.5, color="white", linewidth=3)
    for source in sources:
        places = [index for index, (of, _) in enumerate(columns) if of == source]
        levels = len(next(run for run in runs if run.source == source).classes)
        middle = float(np.mean(places))
        axes.text(middle, -0.7, f"{name_of(source)}: {levels} levels", ha="center", fontsize=8)
    axes.set_title("How well was it done? One system for each movement, five folds over persons", pad=22)
    figure.colorbar(image, label="right, %")
