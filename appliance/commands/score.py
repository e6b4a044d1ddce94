"""`rehabbox score`: one recording against one reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from appliance.commands.output import json_option, print_json
from appliance.commands.score_tables import print_comparison
from appliance.errors import RecordingError
from appliance.exercises import exercise_by_id
from appliance.recording.files import read_recording
from appliance.scoring.calibration_file import read_calibration
from appliance.scoring.files import compare_named, reference_from
from appliance.scoring.noise import floor_of, floor_of_reference, within
from appliance.scoring.options import ScoringOptions, options_for
from appliance.scoring.sides import mirrored


@click.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--exercise", metavar="ID", help="Take joints and root from this exercise's file.")
@click.option("--window-s", type=float, metavar="S", help="Alignment window in seconds.  [default: 2]")
@click.option("--smoothness", type=float, metavar="L", help="Cost of an uneven tempo, per (1/30 s)^2.  [default: 0.01]")
@click.option("--rate", "rate_hz", type=float, metavar="HZ", help="Rate both recordings are brought to.  [default: 30]")
@click.option("--phi", "phi_deg", type=float, metavar="DEG", help="Balance of pose (0) and dynamics (90).")
@click.option("--calibration", type=click.Path(path_type=Path), metavar="F", help="Take phi from `calibrate`'s file.")
@click.option(
    "--second-take",
    "take_files",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="F",
    help="The instructor again, or a folder of those a template was made of: noise floor and band. Can be repeated.",
)
@click.option("--mirror", is_flag=True, help="Mirror RECORDING first: the affected side against the unaffected one.")
@click.option("--joints", metavar="A,B", help="Joints that count.  [default: all, or the exercise's]")
@click.option("--root", metavar="ROOT", help="pelvis, thorax or start.  [default: pelvis, or the exercise's]")
@click.option("--path", is_flag=True, help="Give the alignment too.")
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Draw the comparison into this folder.")
@json_option
def score(
    reference: Path,
    recording: Path,
    exercise: str | None,
    joints: str | None,
    calibration: Path | None,
    take_files: tuple[Path, ...],
    mirror: bool,
    path: bool,
    plots: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Compare RECORDING with REFERENCE by HS-BTW: the whole of one with the whole of the other.

    An option given here wins over the exercise's and the calibration's. REFERENCE may be the same file as RECORDING
    where --mirror compares the two sides of one recording.

    \b
    Example:
      rehabbox score squat_reference.csv.gz squat_today.csv.gz --joints left_knee,right_knee --phi 20
      rehabbox score squat_template.csv.gz squat_today.csv.gz --second-take healthy --plots pictures
      rehabbox score reach_right.csv.gz reach_left.csv.gz --mirror
    """
    options = options_for(exercise_by_id(exercise)) if exercise is not None else ScoringOptions()
    if joints is not None:
        given["joints"] = tuple(name.strip() for name in joints.split(","))
    if calibration is not None:
        options = replace(options, phi_deg=read_calibration(calibration)[0].phi_deg)
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    if plots is not None:
        from appliance.scoring import comparison_plots  # matplotlib is slow to load, and few need it
        from appliance.scoring.pictures import require_folder

        require_folder(plots)
    shown = read_recording(reference)
    prepared = reference_from(shown, options, reference)
    done = read_recording(recording)
    done = mirrored(done) if mirror else done
    comparison = compare_named(prepared, done, recording)
    takes = {file: read_recording(file) for file in _files(take_files)}
    others = [compare_named(prepared, take, file) for file, take in takes.items()]
    floor = floor_of(others) if others else floor_of_reference(shown, options)
    if plots is not None:
        comparison_plots.draw_all(plots, prepared, shown, done, comparison, list(takes.values()), others)
    if as_json:
        noise = {"noise_floor": floor, "within_noise": within(comparison, floor)}
        print_json(comparison.as_json(path=path) | noise)
    else:
        print_comparison(comparison, floor, unit=options.unit, path=path)


def _files(given: tuple[Path, ...]) -> list[Path]:
    """Every file named, and all files of every folder named, by name. Raises `RecordingError`."""
    files: list[Path] = []
    for path in given:
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            raise RecordingError(f"--second-take {path}: an empty folder")
        files += inside
    return files


def _inside(folder: Path) -> list[Path]:
    """But for what file managers hide in it."""
    return sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
