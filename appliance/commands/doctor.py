"""`rehabbox doctor`: is this box fit for a session, and if not, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from appliance.commands.output import json_option, print_json
from appliance.settings import load_settings
from hal.registry import DriverSummary, summaries


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path), help="As for `rehabbox run`.")
@json_option
def doctor(file: Path | None, as_json: bool) -> int:
    """Try devices, model, clock, disk, certificate and broker; exit status 1 if one of them fails.

    \b
    Example:
      rehabbox doctor --settings /etc/rehabbox/settings.toml
    """
    settings = load_settings(file)
    from appliance.doctor import examine

    checks, drivers = list(examine(settings)), list(summaries())
    if as_json:
        print_json({"checks": [asdict(check) for check in checks], "drivers": [asdict(driver) for driver in drivers]})
    else:
        table = Table(box=SIMPLE_HEAD)
        for heading in ("check", "", "found", "remedy"):
            table.add_column(heading, no_wrap=heading in ("check", ""))
        for check in checks:
            # Text, not str: a remedy names [camera] and other tables, which rich would take for markup.
            table.add_row(check.name, "ok" if check.ok else "FAULT", Text(check.detail), Text(check.remedy))
        console = Console()
        console.print(table)
        console.print(_driver_table(drivers))
    return 0 if all(check.ok for check in checks) else 1


def _driver_table(drivers: Sequence[DriverSummary]) -> Table:
    table = Table(title="Drivers that settings may name", box=SIMPLE_HEAD)
    for heading in ("kind", "driver", "can", "what it is"):
        table.add_column(heading, no_wrap=heading in ("kind", "driver"))
    for driver in drivers:
        name = f"{driver.name} ({driver.plug_in})" if driver.plug_in else driver.name
        what = Text(driver.fault, style="red") if driver.fault else Text(driver.what)
        table.add_row(driver.kind, Text(name), Text(", ".join(driver.capabilities)), what)
    return table
