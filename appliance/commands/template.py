"""`rehabbox template`: the average of healthy recordings, as a reference."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.errors import RecordingError
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.template import average


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Skeleton CSV (.csv or .csv.gz) to write.")
@json_option
def template(recordings: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Average RECORDINGS of one exercise, two or more, into a template that patients are compared with.

    Each recording should hold the same number of repetitions, done with the same side. `rehabbox score --second-take`
    takes the same recordings to tell what is within their variation, and to draw it as a band.

    \b
    Example:
      rehabbox template healthy/squat_*.csv.gz --out squat_template.csv.gz
    """
    if out.is_dir() or not out.parent.is_dir():
        raise RecordingError(f"--out {out}: {'is a folder' if out.is_dir() else 'its folder does not exist'}")
    averaged = average([read_recording(path) for path in recordings], recordings)
    write_skeleton_csv(out, averaged)
    if as_json:
        print_json({"recordings": len(recordings), "frames": len(averaged)})
    else:
        click.echo(f"{out}: {len(averaged)} frames, the average of {len(recordings)} recordings")
