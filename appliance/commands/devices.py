"""`rehabbox devices`: what is plugged in, as settings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from appliance.commands.output import json_option, print_json
from appliance.first_boot.found import keep, tables
from appliance.settings import found_file, known_values
from hal.detect import find_devices


@click.command()
@click.option("--write", is_flag=True, help="Keep it: it is used where the settings name no such device.")
@click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")
@json_option
def devices(write: bool, file: Path | None, as_json: bool) -> int:
    """Show cameras, receivers, lights and loudspeakers that are plugged in, without opening any; exit status 1 if none.

    The box's daemon does this at each start; what it found stands in found.toml in the state folder.

    \b
    Example:
      rehabbox devices
    """
    found = find_devices()
    if write:
        keep(found_file(known_values(file)), found)
    if as_json:
        print_json({"devices": [asdict(one) for one in found]})
    else:
        click.echo(tables({one.kind: one.table for one in found}).strip() or "nothing is plugged in that is known")
    return 0 if found else 1
