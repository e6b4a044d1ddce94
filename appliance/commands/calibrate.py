"""`rehabbox calibrate`: the balance of pose and dynamics from recordings whose levels are known."""

from __future__ import annotations

import math
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import click

from appliance.batch import Outcome, score_all, tasks_of
from appliance.batch_manifest import Manifest, read_manifest
from appliance.commands.output import json_option, print_json, progress_bar
from appliance.errors import ManifestError
from appliance.recording.disk import write_whole
from appliance.scoring.calibration import Point
from appliance.scoring.calibration import calibrate as calibration_of
from appliance.scoring.calibration_file import Source


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Calibration file to write, for `score` and the daemon.")
@click.option("--folds", type=click.IntRange(2, 1000), default=11, show_default=True, help="Folds over persons.")
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Draw the pictures into this folder.")
@json_option
def calibrate(manifest: Path, out: Path | None, folds: int, plots: Path | None, as_json: bool) -> None:
    """Find the angle phi at which D ranks the levels of MANIFEST best, and check it on persons left out.

    MANIFEST is a CSV with the columns file, exercise, reference, person and level (0 is best); position, where it is
    there, keeps positions apart. Rows that cannot be scored are left out and counted.

    \b
    Example:
      rehabbox calibrate archive/manifest.csv --out calibration.json --plots pictures
    """
    table = read_manifest(manifest)
    levels = _levels(table)
    if out is not None and (out.is_dir() or not out.parent.is_dir()):
        raise ManifestError(f"--out {out}: {'is a folder' if out.is_dir() else 'its folder does not exist'}")
    if plots is not None:
        from appliance.scoring import calibration_plots  # matplotlib is slow to load, and few need it

        calibration_plots.require(plots)
    with progress_bar() as bar:
        shown = bar.add_task("scoring", total=len(table.rows), note="")
        outcomes = score_all(tasks_of(table, classified=False), lambda: bar.update(shown, advance=1))
    points = _points(table, levels, outcomes)
    if not points:
        reasons = [outcome.status for outcome in outcomes if outcome.status != "ok"]
        raise ManifestError(f"{manifest}: no row could be scored{f'; the first: {reasons[0]}' if reasons else ''}")
    source = Source(
        manifest=_digest(manifest.read_bytes()),
        recordings=_recordings_digest(table, outcomes),
        rows=len(points),
        failed=sum(outcome.status != "ok" for outcome in outcomes),
        persons=len({point.person for point in points}),
        exercises=len({point.exercise for point in points}),
        software=version("rehabbox"),
    )
    try:
        found, curves = calibration_of(points, folds, source)
    except ManifestError as error:
        raise ManifestError(f"{manifest}: {error}") from None
    if out is not None:
        write_whole(out, (found.model_dump_json(indent=1) + "\n").encode("utf-8"))
    if plots is not None:
        calibration_plots.draw_all(plots, points, found, curves)
    document = found.model_dump(mode="json", include={"phi_deg", "scales", "spearman", "folds"})
    if as_json:
        print_json(document)
        return
    click.echo(f"phi {found.phi_deg:g} degrees, Spearman {found.spearman:.3f} ({source.rows} points)")
    for fold in found.folds:
        click.echo(f"  without {', '.join(fold.persons)}: phi {fold.phi_deg}, on them {fold.spearman:.3f}")
    if source.failed:
        click.echo(f"{source.failed} rows could not be scored and are left out")


def _levels(table: Manifest) -> list[float]:
    """Raises `ManifestError` for a missing column or a level that is no number."""
    for name in ("person", "level"):
        if name not in table.columns:
            raise ManifestError(f"{table.path}: has no column {name!r}, which a calibration needs")
    levels = []
    for number, row in enumerate(table.rows, 2):
        try:
            level = float(row["level"])
        except ValueError:
            level = math.nan
        if not math.isfinite(level):
            raise ManifestError(f"{table.path}: row {number}: level {row['level']!r} is not a number (0 is best)")
        levels.append(level)
    return levels


def _points(table: Manifest, levels: list[float], outcomes: list[Outcome]) -> list[Point]:
    """Of the rows that were scored, but for those that are their own reference."""
    points = []
    for row, level, outcome in zip(table.rows, levels, outcomes, strict=True):
        scalars = outcome.scalars
        if outcome.status != "ok" or row["file"].strip() == row["reference"].strip():
            continue
        pose, dynamics, moved = (
            scalars[name] for name in ("pose_dissimilarity", "dynamics_dissimilarity", "intensity")
        )  # fmt: skip
        assert pose is not None
        assert dynamics is not None
        assert moved is not None
        points.append(Point(row["exercise"], row["person"], row.get("position", ""), level, pose, dynamics, moved))
    return points


def _recordings_digest(table: Manifest, outcomes: list[Outcome]) -> str:
    whole = sha256()
    for row, outcome in zip(table.rows, outcomes, strict=True):
        if outcome.status == "ok":
            for name in (row["file"], row["reference"]):
                whole.update(sha256((table.path.parent / name.strip()).read_bytes()).digest())
    return "sha256:" + whole.hexdigest()


def _digest(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()
