"""The pictures of a calibration, after the figures of HS-BTW."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from appliance.errors import RehabBoxError
from appliance.scoring.calibration import DYNAMICS_AXIS, PHI_DEG, Curves, Point, balanced
from appliance.scoring.calibration_file import Calibration
from appliance.scoring.pictures import MARKERS, PALETTE, STYLES, draw, legend_beside, require_folder

NAMES = ("intensity", "plane", "correlation", "distribution", "ranking", "folds")
"""One PNG each: the paper's figures 4 to 8, and 9 with its table 1."""
_OUTLYING = (1.0, 99.0)
"""Percentiles between which an axis shows its points; how many lie outside is said."""


@dataclass(frozen=True, slots=True)
class _Plotted:
    """scaled: (points, 2) D_P and 10 D_T over the exercise's scale, so that exercises share a plane; on_axis: (points,)
    D over that scale; levels: sorted; level_of: (points,) index into levels."""

    points: Sequence[Point]
    scaled: NDArray[np.float64]
    on_axis: NDArray[np.float64]
    levels: list[float]
    level_of: NDArray[np.int64]

    @property
    def exercises(self) -> list[str]:
        return sorted({point.exercise for point in self.points})

    @property
    def persons(self) -> list[str]:
        return sorted({point.person for point in self.points})


def require(folder: Path) -> None:
    """Raises `RehabBoxError` where the folder cannot be made or scikit-learn is not there."""
    try:
        import sklearn.neural_network  # noqa: F401
    except ImportError:
        raise RehabBoxError("--plots needs scikit-learn: pip install 'scikit-learn>=1.7,<2'") from None
    require_folder(folder)


def draw_all(folder: Path, points: Sequence[Point], calibration: Calibration, curves: Curves) -> None:
    """Raises `RecordingError` where the disk refuses."""
    plotted = _plotted(points, calibration)
    drawings = {
        "intensity": lambda figure: _intensity(figure.add_subplot(), plotted),
        "plane": lambda figure: _plane(figure.add_subplot(), plotted),
        "correlation": lambda figure: _correlation(figure.add_subplot(), calibration, curves),
        "distribution": lambda figure: _distribution(figure, plotted, calibration),
        "ranking": lambda figure: _ranking(figure.add_subplot(), plotted, calibration),
        "folds": lambda figure: _folds(figure.add_subplot(), calibration),
    }
    draw(folder, {name: drawings[name] for name in NAMES})


def _plotted(points: Sequence[Point], calibration: Calibration) -> _Plotted:
    plane = np.array([(point.pose, DYNAMICS_AXIS * point.dynamics) for point in points])
    scales = np.array([calibration.scales.get(point.exercise, 1.0) for point in points])
    levels, level_of = np.unique([point.level for point in points], return_inverse=True)
    on_axis = balanced(points, calibration.phi_deg) / scales
    return _Plotted(points, plane / scales[:, None], on_axis, levels.tolist(), level_of)


def _look(index: int) -> dict[str, Any]:
    return {"color": PALETTE[index % len(PALETTE)], "marker": MARKERS[index % len(MARKERS)]}


def _line(index: int) -> dict[str, Any]:
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": STYLES[index // len(PALETTE) % len(STYLES)]}


def _intensity(axes: Axes, plotted: _Plotted) -> None:
    for index, exercise in enumerate(plotted.exercises):
        own = np.array([point.exercise == exercise for point in plotted.points])
        values = np.array([point.intensity for point in plotted.points])
        at = [level for level in range(len(plotted.levels)) if (own & (plotted.level_of == level)).any()]
        means = [values[own & (plotted.level_of == level)].mean() for level in at]
        marker = MARKERS[index % len(MARKERS)]
        axes.plot([plotted.levels[level] for level in at], means, marker=marker, label=exercise, **_line(index))
    axes.set(title="Intensity against level", xlabel="level (0 is best)", ylim=(0.0, None))
    axes.set_ylabel("intensity, trunk lengths per frame; mean over recordings")
    axes.set_xticks(plotted.levels)
    legend_beside(axes)


def _plane(axes: Axes, plotted: _Plotted) -> None:
    """Decision regions of a small multi-layer perceptron, and the way of one patient through the levels."""
    from sklearn.neural_network import MLPClassifier

    scaled = plotted.scaled
    low, high = np.percentile(scaled, _OUTLYING, axis=0)
    margin = np.maximum(0.1 * (high - low), 1e-6)
    low, high = low - margin, high + margin
    center, spread = scaled.mean(axis=0), np.maximum(scaled.std(axis=0), 1e-9)
    network = MLPClassifier((16,), max_iter=400, random_state=0, early_stopping=False, tol=1e-3)
    network.fit((scaled - center) / spread, plotted.level_of)
    x, y = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
    regions = network.predict((np.stack([x.ravel(), y.ravel()], axis=1) - center) / spread).reshape(x.shape)
    edges = np.arange(len(plotted.levels) + 1) - 0.5
    colors = [_look(index)["color"] for index in range(len(plotted.levels))]
    axes.contourf(x, y, regions, levels=edges, colors=colors, alpha=0.2)
    for index, level in enumerate(plotted.levels):
        own = scaled[plotted.level_of == index]
        axes.scatter(own[:, 0], own[:, 1], s=12, alpha=0.7, linewidths=0, label=f"level {level:g}", **_look(index))
    path, who, names = _patient_path(plotted)
    for start, end in pairwise(path):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 2.0}, zorder=4)
    axes.plot(path[:, 0], path[:, 1], "o", color="white", markeredgecolor="black", markersize=13, zorder=5)
    for place, name in zip(path, names, strict=True):
        axes.text(place[0], place[1], name, ha="center", va="center", fontsize="small", zorder=6)
    axes.plot([], [], "-", color="black", linewidth=2.0, label=f"{who}: mean of each level,\nworst to best")
    outside = int(((scaled < low) | (scaled > high)).any(axis=1).sum())
    axes.set(title="The plane of pose and dynamics, each over its exercise's scale")
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set(xlabel=f"D_P / scale ({outside} of {len(scaled)} points lie outside)", ylabel="10 D_T / scale")
    legend_beside(axes, "points; areas: where the network\nsees that level")


def _patient_path(plotted: _Plotted) -> tuple[NDArray[np.float64], str, list[str]]:
    """Of the persons with most levels, the one who went farthest: their mean points by level, worst first."""
    paths = {}
    for person in plotted.persons:
        mine = np.array([point.person == person for point in plotted.points])
        levels = sorted(set(plotted.level_of[mine].tolist()), reverse=True)
        means = np.array([plotted.scaled[mine & (plotted.level_of == level)].mean(axis=0) for level in levels])
        paths[person] = (means, [f"{plotted.levels[level]:g}" for level in levels])
    who = max(paths, key=lambda person: (len(paths[person][0]), float(np.ptp(paths[person][0], axis=0).sum())))
    return paths[who][0], who, paths[who][1]


def _correlation(axes: Axes, calibration: Calibration, curves: Curves) -> None:
    for index, exercise in enumerate(sorted({group[0] for group in curves.groups})):
        own = [group[0] == exercise for group in curves.groups]
        axes.plot(PHI_DEG, curves.correlations[own].mean(axis=0), linewidth=1.0, label=exercise, **_line(index))
    axes.plot(PHI_DEG, curves.mean, color="black", linewidth=2.5, label="mean over all")
    best = f"phi {calibration.phi_deg:g}"
    axes.axvline(calibration.phi_deg, color="black", linestyle="--", linewidth=1.0, label=best)
    axes.set(title=f"Spearman over phi; best {calibration.spearman:.3f} at {calibration.phi_deg:g} degrees")
    axes.set(xlabel="phi, degrees", ylabel="Spearman of D and level, mean over persons", xlim=(0.0, 90.0))
    legend_beside(axes)


def _distribution(figure: Figure, plotted: _Plotted, calibration: Calibration) -> None:
    """One histogram under the other, on one axis."""
    low, high = np.percentile(plotted.on_axis, _OUTLYING)
    bins = np.linspace(low, max(high, low + 1e-9), 40)
    column = figure.subplots(len(plotted.levels), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for index, (axes, level) in enumerate(zip(column, plotted.levels, strict=True)):
        own = plotted.on_axis[plotted.level_of == index]
        axes.hist(np.clip(own, bins[0], bins[-1]), bins=bins.tolist(), color=_look(index)["color"], alpha=0.7)
        axes.axvline(np.median(own), color="black", linestyle="--", label=f"median {np.median(own):.2f}")
        axes.set_ylabel(f"level {level:g}\nrecordings")
        axes.legend(fontsize="small", loc="upper right")
    column[-1].set_xlabel("D / scale (the first and the last bar hold what lies beyond)")
    figure.suptitle(f"Distribution on the axis at phi {calibration.phi_deg:g} degrees")


def _ranking(axes: Axes, plotted: _Plotted, calibration: Calibration) -> None:
    """Every recording, and each level's median by person: where they rise from left to right, the ranking is right."""
    persons = plotted.persons
    who = np.array([persons.index(point.person) for point in plotted.points])
    low, high = np.percentile(plotted.on_axis, _OUTLYING)
    shown = np.clip(plotted.on_axis, low, high)
    places = np.linspace(-0.3, 0.3, len(plotted.levels)) if len(plotted.levels) > 1 else np.zeros(1)
    for index, level in enumerate(plotted.levels):
        own = plotted.level_of == index
        axes.scatter(who[own] + places[index], shown[own], s=9, alpha=0.35, linewidths=0, **_look(index))
        medians = [np.median(shown[own & (who == n)]) if (own & (who == n)).any() else np.nan for n in set(who)]
        at = [n + places[index] for n in set(who)]
        axes.scatter(at, medians, s=45, edgecolors="black", label=f"level {level:g}", zorder=3, **_look(index))
    for number in range(len(persons)):
        levels = [n for n in range(len(places)) if ((who == number) & (plotted.level_of == n)).any()]
        medians = [np.median(shown[(who == number) & (plotted.level_of == n)]) for n in levels]
        axes.plot([number + places[n] for n in levels], medians, color="black", linewidth=1.0, zorder=2)
    axes.set_xticks(range(len(persons)), persons, rotation=90 if len(persons) > 10 else 0)
    axes.set(title=f"Ranking per person at phi {calibration.phi_deg:g} degrees", xlabel="person", ylabel="D / scale")
    legend_beside(axes, "large: median; small: each\nrecording, outliers at the edge")


def _folds(axes: Axes, calibration: Calibration) -> None:
    folds = calibration.folds
    shown = [", ".join(fold.persons[:3]) + (", ..." if len(fold.persons) > 3 else "") for fold in folds]
    bars = axes.bar(range(len(folds)), [fold.spearman for fold in folds], color=PALETTE[4])
    texts = [f"{fold.spearman:.2f}\nphi {fold.phi_deg}" for fold in folds]
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9}
    axes.bar_label(bars, texts, padding=4, fontsize="small", bbox=box, zorder=3)
    line = f"all persons, fitted: {calibration.spearman:.3f}, phi {calibration.phi_deg:g}"
    axes.axhline(calibration.spearman, color="black", linestyle="--", linewidth=1.0, label=line)
    if folds:
        mean = float(np.mean([fold.spearman for fold in folds]))
        axes.axhline(mean, color=PALETTE[5], linestyle=":", label=f"mean over the folds: {mean:.3f}")
    else:
        axes.text(0.5, 0.5, "one person alone: nobody can be left out", ha="center", transform=axes.transAxes)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xticks(range(len(folds)), shown, rotation=45, ha="right", rotation_mode="anchor")
    axes.margins(y=0.25)
    axes.set(title="Persons left out", xlabel="persons left out", ylabel="Spearman of D and level, on them")
    axes.legend(fontsize="small")
