"""`rehabbox doctor`: is this box fit for a session, and if not, what to do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from appliance.commands.output import json_option, print_json
from appliance.settings import load_settings


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
    from appliance.doctor import drivers, examine

    checks = list(examine(settings))
    if as_json:
        print_json({"checks": [asdict(check) for check in checks]})
    else:
        table = Table(box=SIMPLE_HEAD)
        for heading in ("check", "", "found", "remedy"):
            table.add_column(heading, no_wrap=heading in ("check", ""))
        for check in checks:
            table.add_row(check.name, "ok" if check.ok else "FAULT", check.detail, check.remedy)
        console = Console()
        console.print(table)
        for kind, names in drivers().items():
            console.print(f"{kind} drivers: {', '.join(names)}", highlight=False)
    return 0 if all(check.ok for check in checks) else 1
