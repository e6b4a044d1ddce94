"""`rehabbox bench`: this project's figures, measured now, beside their limits and their peers'."""

from __future__ import annotations

from importlib import import_module

import click
from rich.console import Console
from rich.table import Table

from appliance.bench.rows import Row
from appliance.commands.output import json_option, print_json, progress_bar

BENCHES = {
    "box": "appliance.bench.box",
    "devices": "appliance.bench.devices",
    "scoring": "appliance.bench.scoring",
    "fusion": "appliance.bench.fusion",
    "sync": "appliance.bench.sync",
}
"""Name to the module whose `run()` gives the rows."""


@click.command()
@click.argument("name", required=False, type=click.Choice(list(BENCHES)))
@json_option
def bench(name: str | None, as_json: bool) -> int:
    """Measure one part (NAME) or all of them, on input made up here. Where a figure is beyond its limit: exit status 1.

    \b
    Example:
      rehabbox bench sync --json
    """
    rows: list[Row] = []
    with progress_bar() as bar:
        for known in bar.track([name] if name else list(BENCHES)):
            rows += import_module(BENCHES[known]).run()
    if as_json:
        print_json({"benches": [row.as_json() for row in rows]})
    else:
        Console().print(_table(rows))
    return 0 if all(row.ok for row in rows) else 1


def _table(rows: list[Row]) -> Table:
    table = Table("", "value", "unit", "limit", "", "peer")
    for row in rows:
        bound = "" if row.limit is None else f"{'<=' if row.at_most else '>='} {row.limit:g}"
        peer = "" if row.peer is None else f"{row.peer_name}: {row.peer:.3g}"
        table.add_row(row.name, f"{row.value:.3g}", row.unit, bound, "ok" if row.ok else "MISSED", peer)
    return table
