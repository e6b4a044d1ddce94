"""`rehabbox segment`: the repetitions in a recording."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from appliance.commands.output import json_option, print_json
from appliance.errors import NotScorableError
from appliance.exercises import exercise_by_id
from appliance.recording.files import read_recording
from appliance.segmentation.repetitions import Repetition, find_repetitions


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--exercise", "exercise_id", metavar="ID", help="Follow this exercise's joints only.")
@json_option
def segment(recording: Path, exercise_id: str | None, as_json: bool) -> int:
    """Find the repetitions in RECORDING: start and end at rest, turning point, complete or cut off.

    Times are seconds on the recording's own time axis. Without any repetition: exit status 1.

    \b
    Example:
      rehabbox segment squats.csv.gz --exercise squat --json
    """
    joints = exercise_by_id(exercise_id).joints if exercise_id else None
    try:
        repetitions = find_repetitions(read_recording(recording), joints)
    except NotScorableError as error:
        raise NotScorableError(f"{recording}: {error}") from None
    if as_json:
        print_json({"repetitions": [_rounded(repetition) for repetition in repetitions]})
    elif repetitions:
        Console().print(_table(repetitions))
    else:
        click.echo(f"{recording}: no repetition found: nobody moves in it")
    return 0 if repetitions else 1


def _rounded(repetition: Repetition) -> dict[str, float | bool | None]:
    """Milliseconds: a frame lasts longer than that."""
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(repetition).items()}


def _table(repetitions: list[Repetition]) -> Table:
    table = Table("", "start (s)", "turn (s)", "end (s)", "")
    for number, found in enumerate(repetitions, 1):
        turn = "-" if found.reverse_s is None else f"{found.reverse_s:.2f}"
        state = "complete" if found.complete else "incomplete"
        table.add_row(str(number), f"{found.start_s:.2f}", turn, f"{found.end_s:.2f}", state)
    return table
