"""The hospital's subscriber in the demo: a process of its own that knows only the broker and the documented topics.

Prints what it hears as it comes, and at the end the results as a table (or, with --json, one JSON document).
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from appliance.commands.output import print_json
from appliance.errors import RehabBoxError
from appliance.hospital.client import BrokerAddress, Heard, HospitalClient
from appliance.messages.topics import Topics, address_of

LEGEND = (
    "reps: complete of all seen; D_P: pose dissimilarity (0: as the instructor); D_T: dynamics (negative: moved more); "
    "tempo: duration against the instructor's; seen: share of the joints"
)


@click.command()
@click.argument("broker")
@click.option("--ca", type=click.Path(path_type=Path), required=True)
@click.option("--certificate", type=click.Path(path_type=Path), required=True)
@click.option("--key", type=click.Path(path_type=Path), required=True)
@click.option("--results", "wanted", type=int, required=True, help="How many results end it.")
@click.option("--timeout-s", type=float, default=120.0)
@click.option("--json", "as_json", is_flag=True)
def subscriber(
    broker: str, ca: Path, certificate: Path, key: Path, wanted: int, timeout_s: float, as_json: bool
) -> None:
    """Receive results until there are as many as wanted; exit status 1 if one is missing or has no score."""
    every = Topics("+", "+")
    filters = (every.status, every.session("+"), every.alert("+"), every.result("+"))
    results: dict[str, dict[str, Any]] = {}
    latencies: list[float] = []
    console = Console()
    deadline = monotonic() + timeout_s
    with HospitalClient(BrokerAddress.parse(broker, ca, certificate, key), "demo-subscriber", filters) as client:
        sys.stderr.write("listening\n")
        sys.stderr.flush()
        while len(results) < wanted and monotonic() < deadline:
            heard = client.next(0.2)
            if heard is None or not heard.payload:
                continue
            payload = json.loads(heard.payload)
            if not as_json:
                console.print(_line(heard, payload), highlight=False)
            address = address_of(heard.topic)
            if address is not None and address.kind == "result":
                results[payload["id"]] = payload  # a copy replaces its like
                if heard.sent is not None:
                    latencies.append((datetime.now(UTC) - heard.sent).total_seconds() * 1e3)
    received = sorted(results.values(), key=lambda result: result["sequence"])
    if as_json:
        print_json({"results": received, "latency_ms": median(latencies) if latencies else None})
    else:
        console.print(_table(received))
        for result in received:
            if result["reason"] is not None:
                console.print(f"{result['exercise']}: {result['reason']}", highlight=False, markup=False)
    if any(result["status"] != "scored" for result in received):
        sys.exit(1)
    if len(received) < wanted:
        sys.stderr.write(f"only {len(received)} of {wanted} results came within {timeout_s:.0f} s\n")
        sys.exit(1)


def _line(heard: Heard, payload: dict[str, Any]) -> str:
    address = address_of(heard.topic)
    kind = address.kind if address else heard.topic
    what = {
        "status": lambda: f"box {address.box if address else ''} is {payload['state']}",
        "session": lambda: f"session {payload['state']}{_current(payload)}",
        "alert": lambda: f"alert {payload['code']} {payload['state']}: {payload['what']}",
        "result": lambda: f"result {payload['exercise']}: {payload['status']}",
    }[kind]()
    return f"{datetime.now(UTC):%H:%M:%S}  {what}"


def _current(payload: dict[str, Any]) -> str:
    index = payload["current"]
    if index is None:
        return f": {payload['reason']}" if payload["reason"] else ""
    item = payload["exercises"][index]
    return f": {item['exercise']} ({item['side']}, {item['repetitions']} repetitions)"


def _table(results: list[dict[str, Any]]) -> Table:
    table = Table(title="Results received from the broker", caption=LEGEND, box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("exercise", "side", "status", "reps", "D_P", "D_T", "tempo", "seen"):
        table.add_column(
            heading,
            justify="left" if heading in ("exercise", "side", "status") else "right",
            no_wrap=heading != "status",
        )
    for result in results:
        score = result["score"]
        complete = sum(repetition["complete"] for repetition in result["repetitions"])
        table.add_row(
            result["exercise"],
            result["side"],
            result["status"].replace("_", " "),
            f"{complete}/{len(result['repetitions'])}",
            _number(score["pose_dissimilarity"]),
            _number(score["dynamics_dissimilarity"]),
            _number(score["tempo_ratio"]),
            f"{result['data_quality']['joints_seen']:.0%}",
        )
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    try:
        subscriber.main(standalone_mode=False)
    except (RehabBoxError, click.ClickException) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
