"""`rehabbox score`: one recording against one reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from appliance.commands.output import json_option, print_json
from appliance.exercises import exercise_by_id
from appliance.scoring.calibration_file import read_calibration
from appliance.scoring.compare import Comparison, noise_floor
from appliance.scoring.components import COMPONENTS
from appliance.scoring.files import compare_file, reference_from_file
from appliance.scoring.options import ScoringOptions, options_for


@click.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--exercise", metavar="ID", help="Take joints and root from this exercise's file.")
@click.option("--window-s", type=float, metavar="S", help="Alignment window in seconds.  [default: 2]")
@click.option("--smoothness", type=float, metavar="L", help="Cost of an uneven tempo, per (1/30 s)^2.  [default: 0.01]")
@click.option("--rate", "rate_hz", type=float, metavar="HZ", help="Rate both recordings are brought to.  [default: 30]")
@click.option("--phi", "phi_deg", type=float, metavar="DEG", help="Balance of pose (0) and dynamics (90).")
@click.option("--calibration", type=click.Path(path_type=Path), metavar="F", help="Take phi from `calibrate`'s file.")
@click.option("--second-take", type=click.Path(path_type=Path), metavar="F", help="The instructor again: noise floor.")
@click.option("--joints", metavar="A,B", help="Joints that count.  [default: all, or the exercise's]")
@click.option("--root", metavar="ROOT", help="pelvis, thorax or start.  [default: pelvis, or the exercise's]")
@click.option("--path", is_flag=True, help="Give the alignment too.")
@json_option
def score(
    reference: Path,
    recording: Path,
    exercise: str | None,
    joints: str | None,
    calibration: Path | None,
    second_take: Path | None,
    path: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Compare RECORDING with REFERENCE by HS-BTW: the whole of one with the whole of the other.

    An option given here wins over the exercise's and the calibration's.

    \b
    Example:
      rehabbox score squat_reference.csv.gz squat_today.csv.gz --joints left_knee,right_knee --phi 20
    """
    options = options_for(exercise_by_id(exercise)) if exercise is not None else ScoringOptions()
    if joints is not None:
        given["joints"] = tuple(name.strip() for name in joints.split(","))
    if calibration is not None:
        options = replace(options, phi_deg=read_calibration(calibration)[0].phi_deg)
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    prepared = reference_from_file(reference, options)
    comparison = compare_file(prepared, recording)
    floor = noise_floor(compare_file(prepared, second_take)) if second_take is not None else None
    if as_json:
        print_json(comparison.as_json(path=path) | ({"noise_floor": floor} if floor else {}))
    else:
        _print(comparison, path=path)
        for name, value in (floor or {}).items():
            click.echo(f"noise floor of {name}: a difference below {value:.4g} means nothing")


def _print(comparison: Comparison, *, path: bool) -> None:
    console = Console()
    table = Table(title="Scores: 0 is like the reference", title_justify="left")
    table.add_column("score")
    table.add_column("value", justify="right")
    for name, value in comparison.as_json().items():
        if isinstance(value, int | float):
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    console.print(table)
    shares = Table(title="Where the difference is", title_justify="left")
    shares.add_column("joint")
    shares.add_column("share", justify="right")
    for name, share in sorted(comparison.joints.items(), key=lambda item: -item[1]):
        if share >= 0.01:
            shares.add_row(name, f"{share:.0%}")
    console.print(shares)
    if comparison.extended:
        console.print(_extended(comparison))
    for note in comparison.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    if path:
        console.print(f"base: {comparison.base}; shifts: {' '.join(map(str, comparison.shifts))}", soft_wrap=True)


def _extended(comparison: Comparison) -> Table:
    table = Table(title="Extended dissimilarity, by component", title_justify="left")
    table.add_column("component")
    table.add_column("adds", justify="right")
    table.add_column("what it is")
    for name, value in sorted(comparison.extended.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{value:.2f}", COMPONENTS[name])
    return table
