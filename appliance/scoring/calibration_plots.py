"""The pictures of a calibration, after the figures of HS-BTW; drawn without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.colors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from appliance.errors import RehabBoxError
from appliance.scoring.calibration import DYNAMICS_AXIS, PHI_DEG, Curves, Point, balanced
from appliance.scoring.calibration_file import Calibration

NAMES = ("intensity", "plane", "correlation", "distribution", "ranking", "folds")
"""One PNG each: the paper's figures 4 to 8, and 9 with its table 1."""
_MAP = "viridis"
Colors = dict[float, str]


def require(folder: Path) -> None:
    """Raises `RehabBoxError` where the folder cannot be made or scikit-learn is not there."""
    try:
        import sklearn.neural_network  # noqa: F401
    except ImportError:
        raise RehabBoxError("--plots needs scikit-learn: pip install 'scikit-learn>=1.7,<2'") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RehabBoxError(f"--plots {folder}: cannot be made: {error.strerror}") from None


def draw_all(folder: Path, points: Sequence[Point], calibration: Calibration, curves: Curves) -> None:
    mpl.use("Agg")
    levels = sorted({point.level for point in points})
    colors: Colors = {
        level: mpl.colors.to_hex(mpl.colormaps[_MAP](share))
        for level, share in zip(levels, np.linspace(0.0, 0.85, len(levels)), strict=True)
    }
    scaled = _scaled(points, calibration)
    drawings = {
        "intensity": lambda axes: _intensity(axes, points, levels),
        "plane": lambda axes: _plane(axes, points, scaled, colors),
        "correlation": lambda axes: _correlation(axes, calibration, curves),
        "distribution": lambda axes: _distribution(axes, points, calibration, colors),
        "ranking": lambda axes: _ranking(axes, points, calibration, colors),
        "folds": lambda axes: _folds(axes, calibration),
    }
    for name in NAMES:
        figure = Figure(figsize=(8.0, 5.0), dpi=110, layout="constrained")
        drawings[name](figure.add_subplot())
        path = folder / f"{name}.png"
        try:
            figure.savefig(path)
        except OSError as error:
            raise RehabBoxError(f"{path}: cannot be written: {error.strerror}") from None


def _scaled(points: Sequence[Point], calibration: Calibration) -> NDArray[np.float64]:
    """(points, 2): D_P and 10 D_T over the exercise's scale, so that exercises share a plane."""
    plane = np.array([(point.pose, DYNAMICS_AXIS * point.dynamics) for point in points])
    return np.asarray(plane / np.array([calibration.scales.get(point.exercise, 1.0) for point in points])[:, None])


def _on_axis(points: Sequence[Point], calibration: Calibration) -> NDArray[np.float64]:
    scales = np.array([calibration.scales.get(point.exercise, 1.0) for point in points])
    return np.asarray(balanced(points, calibration.phi_deg) / scales)


def _intensity(axes: Axes, points: Sequence[Point], levels: list[float]) -> None:
    for exercise in sorted({point.exercise for point in points}):
        own = [point for point in points if point.exercise == exercise]
        at = [level for level in levels if any(point.level == level for point in own)]
        means = [np.mean([point.intensity for point in own if point.level == level]) for level in at]
        axes.plot(at, means, marker="o", label=exercise)
    axes.set(title="Intensity against level", xlabel="level (0 is best)", ylabel="intensity, mean over recordings")
    axes.set_xticks(levels)
    axes.legend(fontsize="small", ncols=2)


def _plane(axes: Axes, points: Sequence[Point], scaled: NDArray[np.float64], colors: Colors) -> None:
    """Decision regions of a small multi-layer perceptron, and the way of one patient through the levels."""
    from sklearn.neural_network import MLPClassifier

    low, high = np.percentile(scaled, [1, 99], axis=0)
    margin = 0.1 * (high - low)
    low, high = low - margin, high + margin
    levels = list(colors)
    target = np.array([levels.index(point.level) for point in points])
    center, spread = scaled.mean(axis=0), np.maximum(scaled.std(axis=0), 1e-9)
    network = MLPClassifier((16,), max_iter=400, random_state=0, early_stopping=False, tol=1e-3)
    network.fit((scaled - center) / spread, target)
    x, y = np.meshgrid(np.linspace(low[0], high[0], 200), np.linspace(low[1], high[1], 200))
    regions = network.predict((np.stack([x.ravel(), y.ravel()], axis=1) - center) / spread).reshape(x.shape)
    axes.contourf(x, y, regions, levels=np.arange(len(levels) + 1) - 0.5, colors=list(colors.values()), alpha=0.25)
    for index, (level, color) in enumerate(colors.items()):
        own = scaled[target == index]
        axes.scatter(own[:, 0], own[:, 1], s=9, color=color, label=f"level {level:g}")
    path, who = _patient_path(points, scaled)
    axes.plot(path[:, 0], path[:, 1], color="black", linewidth=1.0)
    for start, end in pairwise(path):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "black"})
    axes.plot(*path[-1], "k*", markersize=12, label=f"{who}: from the worst level to the best")
    axes.set(title="The plane of pose and dynamics", xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set(xlabel="D_P / scale", ylabel="10 D_T / scale")
    axes.legend(fontsize="small")


def _patient_path(points: Sequence[Point], scaled: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]:
    """The first patient with most levels: their mean point by level, worst first."""
    persons = sorted({point.person for point in points})
    who = max(persons, key=lambda person: len({point.level for point in points if point.person == person}))
    mine = [index for index, point in enumerate(points) if point.person == who]
    levels = sorted({points[index].level for index in mine}, reverse=True)
    means = [scaled[[index for index in mine if points[index].level == level]].mean(axis=0) for level in levels]
    return np.array(means), who


def _correlation(axes: Axes, calibration: Calibration, curves: Curves) -> None:
    for exercise in sorted({group[0] for group in curves.groups}):
        own = [group[0] == exercise for group in curves.groups]
        axes.plot(PHI_DEG, curves.correlations[own].mean(axis=0), linewidth=0.8, alpha=0.7, label=exercise)
    axes.plot(PHI_DEG, curves.mean, color="black", linewidth=2.0, label="mean")
    axes.axvline(calibration.phi_deg, color="black", linestyle="--")
    axes.set(title=f"Spearman over phi; best {calibration.spearman:.3f} at {calibration.phi_deg:g} degrees")
    axes.set(xlabel="phi, degrees", ylabel="mean Spearman")
    axes.legend(fontsize="small", ncols=2)


def _distribution(axes: Axes, points: Sequence[Point], calibration: Calibration, colors: Colors) -> None:
    values = _on_axis(points, calibration)
    low, high = np.percentile(values, [1, 99])
    bins = np.linspace(low, high, 40)
    for level, color in colors.items():
        own = values[[point.level == level for point in points]]
        axes.hist(
            np.clip(own, bins[0], bins[-1]),
            bins=list(bins),
            color=color,
            histtype="step",
            linewidth=1.8,
            label=f"level {level:g}",
        )
    axes.set(title=f"Distribution on the axis at {calibration.phi_deg:g} degrees", xlabel="D / scale")
    axes.set(ylabel="recordings")
    axes.legend()


def _ranking(axes: Axes, points: Sequence[Point], calibration: Calibration, colors: Colors) -> None:
    persons = sorted({point.person for point in points})
    values = _on_axis(points, calibration)
    width = 0.6 / max(len(colors), 1)
    for index, (level, color) in enumerate(colors.items()):
        at = [persons.index(point.person) for point in points if point.level == level]
        own = values[[point.level == level for point in points]]
        shifted = np.array(at) + (index - (len(colors) - 1) / 2.0) * width
        axes.scatter(shifted, own, s=10, color=color, label=f"level {level:g}")
    axes.set_xticks(range(len(persons)), persons, rotation=90 if len(persons) > 12 else 0)
    axes.set(title="Ranking per person", ylabel="D / scale", ylim=tuple(np.percentile(values, [0.5, 99.5])))
    axes.legend(fontsize="small")


def _folds(axes: Axes, calibration: Calibration) -> None:
    labels = [", ".join(fold.persons) for fold in calibration.folds]
    values = [fold.spearman for fold in calibration.folds]
    bars = axes.bar(range(len(labels)), values, color="steelblue")
    axes.bar_label(
        bars, [f"{value:.2f}\nphi {fold.phi_deg}" for value, fold in zip(values, calibration.folds, strict=True)]
    )
    axes.axhline(calibration.spearman, color="black", linestyle="--", label="all persons, fitted")
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.margins(y=0.15)
    axes.set(title="Persons left out", ylabel="Spearman on them")
    axes.legend(fontsize="small")
