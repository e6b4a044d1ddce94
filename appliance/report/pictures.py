"""A report's pictures as SVG: they stay sharp on paper and need no file beside the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from appliance.report.content import PHASES, Content, Point, Row
from appliance.scoring.body import RATE_HZ, Floats
from appliance.skeleton.standard import INDEX

REFERENCE, PATIENT = "#4298d6", "#a33f00"
"""Light and dark: they differ on a printer without colours too."""
_MARK = "#00304d"
"""The reference's on the patient's bars."""
_WIDTH_IN = 7.3
"""A4 less its margins."""
_BONES = [
    (INDEX[a], INDEX[b])
    for a, b in (
        ("pelvis", "spine"), ("spine", "thorax"), ("thorax", "neck"), ("neck", "head"),
        *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")
          for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))),
        ("left_shoulder", "thorax"), ("right_shoulder", "thorax"), ("left_hip", "pelvis"), ("right_hip", "pelvis"),
    )
]  # fmt: skip
_PAIRED = ("shoulder", "elbow", "hip", "knee")
_STRIP_IN, _ROOM = 1.6, 0.15
_VIEWS = {"the front": (0, 1, 1.0), "the side": (2, 1, -1.0), "above": (0, 2, 1.0)}
"""Where it is looked at from: the axis to the right, the one upwards, and the sign of the first."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """SVG each. repetitions: a strip each, in the order of time; from the reference's best view, the farthest one from
    a second view too. sides: None where no limb is seen on both."""

    repetitions: tuple[str, ...]
    along: str
    plane: str
    sides: str | None


def pictures_of(content: Content) -> Pictures | None:
    """None for a set without a score."""
    comparison = content.comparison
    if comparison is None:
        return None
    spans = [(one.start_s, one.end_s) for one in content.repetitions]
    here, there = comparison.angle_ranges, comparison.angle_ranges_reference
    paired = [name for name in _PAIRED if {f"left_{name}", f"right_{name}"} <= here.keys()]
    return Pictures(
        repetitions=tuple(_strips(content.rows)),
        along=_svg(0.14 * len(content.joints) + 2.0, partial(_draw_along, content=content, spans=spans)),
        plane=_svg(2.6, partial(_draw_plane, course=content.course, floor=content.noise_floor)),
        sides=_svg(2.4, partial(_draw_sides, names=paired, here=here, there=there)) if paired else None,
    )


def _svg(height_in: float, draw: Callable[[Figure], None]) -> str:
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "rehabbox", "font.size": 8.5}):
        figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        draw(figure)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue()
    return svg[svg.index("<svg") :]


def _strips(rows: tuple[Row, ...]) -> Iterator[str]:
    best, second = _best_views(np.concatenate([row.reference for row in rows]))
    everything = np.concatenate([one for row in rows for one in (row.reference, row.patient)])
    for row in rows:
        for view in (best, second) if row.farthest else (best,):
            yield _svg(_STRIP_IN, partial(_draw_strip, row=row, view=view, everything=everything))


def _best_views(shown: Floats) -> list[str]:
    """Two, from where most of the reference's movement is seen first; the front where another is as good."""
    moved = np.nan_to_num(np.nanstd(shown, axis=0)).sum(axis=0)
    return sorted(_VIEWS, key=lambda view: -round(float(moved[_VIEWS[view][0]] + moved[_VIEWS[view][1]]), 3))[:2]


def _draw_strip(figure: Figure, row: Row, view: str, everything: Floats) -> None:
    right, up, sign = _VIEWS[view]
    around = everything[..., [right, up]] * (sign, 1.0)
    low, high = np.nanmin(around, axis=(0, 1)) - _ROOM, np.nanmax(around, axis=(0, 1)) + _ROOM
    strip = figure.subplots(1, len(PHASES))
    for phase, axes in enumerate(strip):
        for positions, color, width in ((row.reference, REFERENCE, 3.2), (row.patient, PATIENT, 1.5)):
            _draw_body(axes, positions[phase][:, [right, up]] * (sign, 1.0), color, width)
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
        axes.set_title(PHASES[phase], fontsize="medium", color="0.3")
        axes.spines[:].set_visible(False)
    strip[0].set_ylabel(f"repetition {row.number}\nfrom {view}\n$D_P$ {row.pose_dissimilarity:.3f}")


def _draw_body(axes: Axes, points: Floats, color: str, width: float) -> None:
    for a, b in _BONES:
        axes.plot(*points[[a, b]].T, color=color, linewidth=width, solid_capstyle="round", alpha=0.85)
    axes.plot(*points[INDEX["head"]], "o", color=color, markersize=2.6 * width, alpha=0.85)


def _draw_along(figure: Figure, content: Content, spans: list[tuple[float, float]]) -> None:
    """Rest between the repetitions stays empty."""
    names = [name.replace("_", " ") for name in content.joints]
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 0.16 * len(names)))
    largest = max(float(np.nanmax(one.joints)) for one in content.along)
    farthest = max(float(np.sqrt(np.nansum(one.joints**2, axis=1)).max()) for one in content.along)
    for one in content.along:
        times = np.arange(one.times[0], one.times[-1] + 0.5 / RATE_HZ, 1.0 / RATE_HZ)
        joints = np.array([np.interp(times, one.times, column) for column in one.joints.T])
        top.plot(times, np.sqrt((joints**2).sum(axis=0)), color=PATIENT, linewidth=1.2)
        edges = np.append(times, times[-1] + 1.0 / RATE_HZ), np.arange(len(names) + 1.0)
        shown = below.pcolormesh(*edges, joints, cmap="cividis", vmin=0.0, vmax=largest, rasterized=True)
    top.set(ylabel=content.unit, ylim=(0.0, 1.3 * farthest or 1.0))  # the numbers stand above the line
    top.set_title("Distance from the reference along the patient's time; below: by joint", fontsize="medium")
    for number, (start_s, end_s) in enumerate(spans, 1):
        top.axvspan(start_s, end_s, color="0.93", zorder=0)
        top.annotate(str(number), ((start_s + end_s) / 2.0, 1.0), (0, -2), xycoords=("data", "axes fraction"),
                     textcoords="offset points", ha="center", va="top", color="0.4")  # fmt: skip
    below.set_yticks(np.arange(len(names)) + 0.5, names, fontsize="small")
    below.invert_yaxis()
    below.set_xlabel("s")
    figure.colorbar(shown, ax=below, pad=0.01, label="weighted distance")


def _draw_plane(figure: Figure, course: tuple[Point, ...], floor: dict[str, float]) -> None:
    axes = figure.subplots()
    pose, dynamics = np.array([point.pose for point in course]), np.array([point.dynamics for point in course])
    limits = floor.get("pose_dissimilarity"), floor.get("dynamics_dissimilarity")
    if limits[0] is not None and limits[1] is not None:
        axes.fill_between([0.0, limits[0]], -limits[1], limits[1], color="0.9", label="the reference's own variation")
    axes.axhline(0.0, color="0.7", linewidth=0.8)
    axes.plot(0.0, 0.0, "*", color=REFERENCE, markersize=11, label="as the reference", clip_on=False, zorder=3)
    axes.plot(pose, dynamics, "-", color=PATIENT, linewidth=0.9)
    axes.plot(pose[:-1], dynamics[:-1], "o", color=PATIENT, markersize=4, markerfacecolor="white",
              label="earlier sets" if len(course) > 1 else None)  # fmt: skip
    axes.plot(pose[-1], dynamics[-1], "o", color=PATIENT, markersize=8, label="this set")
    axes.set(xlabel="pose dissimilarity $D_P$", ylabel="dynamics $D_T$\nabove 0: moves less", xlim=(0.0, None))
    low, high = axes.get_ylim()
    reach = 1.15 * max(abs(low), abs(high))
    axes.set_ylim(-reach, reach)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def _draw_sides(figure: Figure, names: list[str], here: dict[str, float], there: dict[str, float]) -> None:
    """Each paired angle's range, left above right."""
    axes = figure.subplots()
    at = np.arange(len(names))[::-1]
    for offset, side, hatch in ((0.2, "left", None), (-0.2, "right", "////")):
        axes.barh(at + offset, [here[f"{side}_{name}"] for name in names], 0.36, color=PATIENT, alpha=0.5,
                  hatch=hatch, edgecolor="white", label=f"patient's {side}")  # fmt: skip
        shown = [
            (y + offset, there[f"{side}_{name}"])
            for y, name in zip(at, names, strict=True)
            if f"{side}_{name}" in there
        ]
        axes.scatter([x for _, x in shown], [y for y, _ in shown], marker="|", s=130, color=_MARK, linewidths=2.6,
                     label="the reference's" if side == "left" else None, zorder=3)  # fmt: skip
    axes.set_yticks(at, names)
    axes.set(xlabel="range of the angle, degrees")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
