"""Reference recordings for the demo, made by the virtual instructor: each movement as written, without noise."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import reference


def record_reference(exercise: str, side: str, repetitions: int, tempo: float, folder: Path) -> str:
    """Writes `<exercise>.csv.gz` into the folder and returns its digest. tempo: 2 is twice as fast as usual."""
    times, positions = reference(exercise, side, repetitions, tempo=tempo)
    file = folder / f"{exercise}.csv.gz"
    write_skeleton_csv(file, recording_of(times, positions))
    return digest_of(file)


@click.command()
@click.argument("exercise")
@click.option("--side", type=click.Choice(["left", "right", "both"]), default="both", show_default=True)
@click.option("--repetitions", type=click.IntRange(1, 50), default=3, show_default=True)
@click.option("--tempo", type=click.FloatRange(0.2, 5), default=1.0, show_default=True, help="2: twice as fast.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the recording.")
def instructor(exercise: str, side: str, repetitions: int, tempo: float, out: Path) -> None:
    """Record the virtual instructor doing EXERCISE; prints the recording's digest, as a prescription names it."""
    out.mkdir(parents=True, exist_ok=True)
    click.echo(record_reference(exercise, side, repetitions, tempo, out))


if __name__ == "__main__":
    instructor()
