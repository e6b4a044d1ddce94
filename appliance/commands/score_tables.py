"""What `rehabbox score` says to people: tables of the scores, and where the difference is."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from appliance.scoring.body import ANGLES
from appliance.scoring.compare import Comparison
from appliance.scoring.components import COMPONENTS
from appliance.scoring.noise import within

_LEAST_SHARE = 0.01


def print_comparison(comparison: Comparison, floor: Mapping[str, float], *, unit: str, path: bool) -> None:
    """floor: see `appliance.scoring.noise`; unit: of distances, see `ScoringOptions.unit`."""
    console = Console()
    console.print(_scores(comparison, floor))
    console.print(_joints(comparison, unit))
    if comparison.angle_ranges:
        console.print(_angles(comparison))
    if comparison.inter_limb:
        console.print(_sides(comparison))
    if comparison.extended:
        console.print(_extended(comparison))
    for name in within(comparison, floor):
        variation = f"the reference's own variation ({floor[name]:.4g})"
        console.print(f"note: {name} is within {variation}: on its own it says nothing", highlight=False)
    for note in comparison.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    if path:
        console.print(f"base: {comparison.base}; shifts: {' '.join(map(str, comparison.shifts))}", soft_wrap=True)


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _scores(comparison: Comparison, floor: Mapping[str, float]) -> Table:
    table = _table("Scores: 0 is like the reference", "score", "value", *(["noise floor"] if floor else []))
    for name, value in comparison.as_json().items():
        if isinstance(value, int | float):
            known = [f"{floor[name]:.4g}" if name in floor else ""] if floor else []
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value), *known)
    return table


def _joints(comparison: Comparison, unit: str) -> Table:
    """share: of the pose distance; extended: what the joint adds to the extended dissimilarity, to which the trunk
    belongs whatever the exercise's joints are."""
    shares, added = comparison.joints, comparison.extended_joints
    table = _table("Where the difference is", "joint", "share", f"distance, {unit}", *(["extended"] if added else []))
    least = _LEAST_SHARE * sum(added.values())
    for name in sorted({**added, **shares}, key=lambda name: -shares.get(name, 0.0)):
        if shares.get(name, 0.0) >= _LEAST_SHARE or added.get(name, 0.0) > least:
            known = [_number(shares, name, ".0%"), _number(comparison.joint_distances, name, ".3f")]
            table.add_row(name, *known, *([_number(added, name, ".2f")] if added else []))
    return table


def _angles(comparison: Comparison) -> Table:
    table = _table("Range of the joints' angles, degrees", "angle", "here", "reference", "difference")
    for name in ANGLES:
        here, there = comparison.angle_ranges.get(name), comparison.angle_ranges_reference.get(name)
        if here is not None:
            known = (f"{there:.0f}", f"{here - there:+.0f}") if there is not None else ("", "")
            table.add_row(name, f"{here:.0f}", *known)
    return table


def _sides(comparison: Comparison) -> Table:
    table = _table("Left from right in the mirror, trunk lengths", "joint", "here", "reference", "ratio")
    for name, found in comparison.inter_limb.items():
        forms = {"distance": ".3f", "reference": ".3f", "ratio": ".2f"}
        table.add_row(name, *(_number(found, key, form) for key, form in forms.items()))
    return table


def _number(found: Mapping[str, float], name: str, form: str) -> str:
    return format(found[name], form) if name in found else ""


def _extended(comparison: Comparison) -> Table:
    table = _table("Extended dissimilarity, by component", "component", "adds")
    table.add_column("what it is")
    for name, value in sorted(comparison.extended.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value:.2f}", COMPONENTS[name])
    return table
