"""The pictures of one comparison: the patient over the reference and its band (after FineRehab's figure 6; how: ours).

The patient, who may have been slower, is laid over the reference's time by plain time warping; so are further takes,
whose 10th to 90th percentile, with the reference's own, is the band.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from appliance.errors import NotScorableError
from appliance.scoring.body import ANGLES, RATE_HZ, Body, Floats, angles_of, body_of
from appliance.scoring.compare import Comparison
from appliance.scoring.pictures import PALETTE, draw
from appliance.scoring.prepare import PreparedReference
from appliance.scoring.sides import LIMBS, limb_distances
from appliance.scoring.template import mean_by_frame
from appliance.scoring.warping import stride_of, warp
from appliance.skeleton.standard import JOINTS, Recording

NAMES = ("angles", "joints", "sides")
MOST_ANGLES = 6
"""The angles that move most are drawn."""
_LEAST_SPAN_DEG = 30.0
"""An axis shows at least so much: a wobble of two degrees shall not look like a movement."""
_REFERENCE, _PATIENT = PALETTE[0], PALETTE[5]
_BAND_PERCENTILES = (10, 90)

Curves = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Laid:
    """Curves by name, (frames,) each over the same `times` (s) of the reference; takes: of each further take."""

    times: Floats
    reference: Curves
    patient: Curves
    takes: list[Curves]


def draw_all(
    folder: Path,
    prepared: PreparedReference,
    reference: Recording,
    patient: Recording,
    comparison: Comparison,
    takes: Sequence[Recording],
    take_comparisons: Sequence[Comparison],
) -> None:
    """comparison: of the patient; take_comparisons: of the takes, all with `prepared`, which is the reference.

    Raises `NotScorableError` where a body cannot be placed, `RecordingError` where the disk refuses."""
    joints = prepared.options.joints
    try:
        bodies = [body_of(recording, joints) for recording in (reference, patient, *takes)]
    except NotScorableError as error:
        raise NotScorableError(f"--plots: a recording {error}") from None
    angles, sides = _laid(bodies, _angles), _laid(bodies, _limbs)
    others = [take.joint_distances for take in take_comparisons]
    unit = prepared.options.unit
    draw(
        folder,
        {
            "angles": lambda figure: _draw_angles(figure, angles),
            "joints": lambda figure: _draw_joints(figure, comparison, others, unit),
            "sides": lambda figure: _draw_sides(figure, sides),
        },
    )


def _angles(body: Body) -> Curves:
    columns = angles_of(body.about_pelvis).T
    return {
        name: column
        for (name, ends), column in zip(ANGLES.items(), columns, strict=True)
        if all(body.seen[JOINTS.index(joint)] for joint in ends if joint in JOINTS)
    }


def _limbs(body: Body) -> Curves:
    return {limb: curve for limb, curve in limb_distances(body).items() if limb in LIMBS}


def _laid(bodies: Sequence[Body], curves_of: Callable[[Body], Curves]) -> Laid:
    reference = bodies[0]
    laid = [_over(reference, body, curves_of(body)) for body in bodies[1:]]
    times = np.arange(len(reference.about_pelvis)) / RATE_HZ
    return Laid(times, curves_of(reference), laid[0], laid[1:])


def _over(reference: Body, body: Body, curves: Curves) -> Curves:
    """The curves on the reference's frames: the mean of those that correspond to each."""
    weights = np.sqrt(reference.about_pelvis.std(axis=0)) * (reference.seen & body.seen)[:, None]
    stride = stride_of(len(reference.about_pelvis), len(body.about_pelvis), 1)
    a, b = ((one.about_pelvis * weights)[::stride].reshape(-1, weights.size) for one in (reference, body))
    first, second, _ = warp(a, b)
    frames = np.arange(len(reference.about_pelvis))
    return {
        name: np.interp(frames, frames[::stride], mean_by_frame(curve[::stride][second], first, len(a)))
        for name, curve in curves.items()
    }


def _draw_angles(figure: Figure, laid: Laid) -> None:
    moved = {name: max(np.ptp(laid.reference[name]), np.ptp(laid.patient[name])) for name in _shared(laid)}
    names = sorted(moved, key=lambda name: -moved[name])[:MOST_ANGLES]
    figure.suptitle("Joint angles: the recording over the reference")
    for axes in _panels(figure, laid, names, "degrees"):
        low, high = axes.get_ylim()
        missing = max(0.0, _LEAST_SPAN_DEG - (high - low)) / 2.0
        axes.set_ylim(low - missing, high + missing)


def _draw_sides(figure: Figure, laid: Laid) -> None:
    figure.suptitle("Left from right in the mirror: 0 where both sides move alike")
    axes = _panels(figure, laid, _shared(laid), "trunk lengths")
    highest = max((one.get_ylim()[1] for one in axes), default=1.0)
    for one in axes:
        one.set_ylim(0.0, highest)


def _shared(laid: Laid) -> list[str]:
    return [name for name in laid.reference if name in laid.patient]


def _panels(figure: Figure, laid: Laid, names: list[str], unit: str) -> list[Axes]:
    """One for each name, all over the same time."""
    columns = 3 if len(names) > 4 else 2
    rows = max(1, -(-len(names) // columns))
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axes, name in zip(grid.flat, names, strict=False):
        _draw_curves(axes, laid, name)
        axes.set_title(name.replace("_", " "), fontsize="medium")
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("the reference's time, s")
    for row in grid:
        row[0].set_ylabel(unit)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize="small")
    return list(grid.flat[: len(names)])


def _draw_curves(axes: Axes, laid: Laid, name: str) -> None:
    own = laid.reference[name]
    takes = [take[name] for take in laid.takes if name in take]
    if takes:
        low, high = np.percentile([own, *takes], _BAND_PERCENTILES, axis=0)
        axes.fill_between(laid.times, low, high, color=_REFERENCE, alpha=0.25, linewidth=0, label="band of its takes")
    axes.plot(laid.times, own, color=_REFERENCE, linewidth=1.5, label="reference")
    axes.plot(laid.times, laid.patient[name], color=_PATIENT, linewidth=1.5, linestyle="--", label="recording")


def _draw_joints(figure: Figure, comparison: Comparison, takes: list[dict[str, float]], unit: str) -> None:
    """Distances of the joints, and ranges of the angles, beside the reference's."""
    left, right = figure.subplots(1, 2)
    names = list(comparison.joint_distances)[::-1]
    at = np.arange(len(names))
    left.barh(at, [comparison.joint_distances[name] for name in names], color=_PATIENT, label="recording")
    largest = [max((take.get(name, 0.0) for take in takes), default=0.0) for name in names]
    if takes:
        left.scatter(
            largest, at, marker="|", s=90, color=_REFERENCE, linewidths=2, label="the takes' largest", zorder=3
        )
        left.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
    left.set_yticks(at, [name.replace("_", " ") for name in names], fontsize="small")
    left.set(title="Distance from the reference, along the path", xlabel=unit)
    angles = [name for name in comparison.angle_ranges if name in comparison.angle_ranges_reference][::-1]
    at = np.arange(len(angles))
    for offset, ranges, color, label in (
        (0.2, comparison.angle_ranges_reference, _REFERENCE, "reference"),
        (-0.2, comparison.angle_ranges, _PATIENT, "recording"),
    ):
        right.barh(at + offset, [ranges[name] for name in angles], height=0.4, color=color, label=label)
    right.set_yticks(at, [name.replace("_", " ") for name in angles], fontsize="small")
    right.set(title="Range of the angles", xlabel="degrees")
    right.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2)
