"""`rehabbox stick`: enrol from a stick of the hospital's IT."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.enrolment.identity import Identity
from appliance.errors import EnrolmentError
from appliance.first_boot.stick import report, serve
from appliance.settings import enrolment_folder


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")
def stick(folder: Path, file: Path | None) -> int:
    """Take from FOLDER what the hospital put there for this box, and write there what the box has to say.

    A stick labelled REHABBOX is served by itself when it is plugged in. What may be on it:
    /usr/share/doc/rehabbox/install.md.

    \b
    Example:
      rehabbox stick /media/stick
    """
    identity = Identity(enrolment_folder(file))
    try:
        lines, status = serve(folder, identity), 0
    except EnrolmentError as error:
        lines, status = [f"nothing was done: {' '.join(str(error).split())}"], 1
    report(folder, identity, lines)
    for line in lines:
        click.echo(line)
    return status
