"""`rehabbox export`: a session as FineRehab-style JSON."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.errors import RecordingError
from appliance.recording.export import cuts_of_session
from appliance.recording.finerehab_json import write_finerehab


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder that the files go into.")
@json_option
def export(session: Path, out: Path, as_json: bool) -> None:
    """Write each repetition in SESSION, a session's MCAP, as a FineRehab-style JSON file.

    The files are named Subject_Movement+Side_CutNN.json and are recordings for every other command. NN counts on from
    what is in the folder: nothing there is replaced. No pictures: a box keeps none.

    \b
    Example:
      rehabbox export 01_squat.mcap --out dataset/
    """
    cuts = list(cuts_of_session(session))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordingError(f"{out}: cannot be made a folder: {error.strerror}") from None
    files = [write_finerehab(out, cut) for cut in [cut.after_those_in(out) for cut in cuts]]
    if as_json:
        print_json({"files": [str(file) for file in files]})
    else:
        click.echo("\n".join(map(str, files)))
