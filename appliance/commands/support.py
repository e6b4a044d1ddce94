"""`rehabbox support`: pack a bundle for IT without patient data."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.output import json_option, print_json


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("rehabbox-support.tar.gz"),
    show_default=True,
    help="To write.",
)
@click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")
@json_option
def support(out: Path, file: Path | None, as_json: bool) -> None:
    """Pack how the box is and what it logged into one file for the hospital's IT; as root, who may read the log.

    No recording, no result and no identifier of a patient goes in; `tar -tf` shows the parts, which are plain text.

    \b
    Example:
      rehabbox support --out /media/stick/box-12.tar.gz
    """
    from appliance.support import pack

    names = pack(file, out, lambda name: None if as_json else click.echo(f"  {name}", err=True))
    if as_json:
        print_json({"file": str(out), "parts": names})
    else:
        click.echo(f"{out}: {len(names)} parts; send it to whoever asked for it")
