"""Thousands of boxes on one broker, over a restart of it, counted at the hospital's end."""

from __future__ import annotations

import argparse
import json
import logging
import os
import resource
import signal
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from appliance.errors import RehabBoxError
from appliance.hospital.throwaway import ThrowawayBroker
from figures import cpu_s, peak_per_s, percentiles_ms
from fleet import Fleet
from hospital import Hospital
from one import one_connection

CONNECT_S = 120.0
BACK_S = 300.0
_FILES_A_BOX = 5
"""A socket, and an outbox's file, its write-ahead log and its index; one to spare."""

_HELP = """Many boxes on one real mosquitto, each with its own certificate (TLS 1.3), and the example consumers behind.

All connect at once; each makes a result every --every seconds for --seconds, while random lines are cut; then the
broker is restarted, and all come back. Latency is from the commit in the box's outbox to the hospital's consumer.
The last line is one JSON document. Exit status 1 where a result was lost or a box did not come back.

The box's own code: connection (packets, last will, answers), delivery, outbox, backoff, messages. Not the box's: one
event loop instead of two threads a box, and TLS handshakes in steps; `--one` measures the daemon's own link instead.

examples:
  tools/load --boxes 40 --seconds 10 --every 1
  tools/load
  tools/load --one --seconds 60
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/load", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--boxes", type=int, default=2000, help="default 2000")
    parser.add_argument("--every", type=float, default=10.0, metavar="S", help="a box's results (default 10 s)")
    parser.add_argument("--seconds", type=float, default=300.0, help="of results before the restart (default 300)")
    parser.add_argument("--cuts", type=float, default=40.0, metavar="N", help="lines cut a minute (default 40)")
    parser.add_argument("--away", type=float, default=10.0, metavar="S", help="the broker's restart (default 10 s)")
    parser.add_argument("--spread", type=float, default=10.0, metavar="S", help="the boxes' setting broker.spread_s")
    parser.add_argument("--consumers", type=int, default=2, help="that share the results (default 2)")
    parser.add_argument(
        "--patience", type=float, default=120.0, metavar="S", help="for the last results (default 120 s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of results and cuts (default 1)")
    parser.add_argument("--one", action="store_true", help="what one connection costs the daemon's own link")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(2))  # so that broker, consumers and folders go, too
    logging.getLogger("appliance").setLevel(logging.CRITICAL)  # what boxes would log is counted
    try:
        report = one_connection(options.seconds, options.every) if options.one else _load(options)
    except (RehabBoxError, RuntimeError) as error:
        print(f"tools/load: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report))
    return 0 if report["ok"] else 1


def _load(options: argparse.Namespace) -> dict[str, Any]:
    _raise_file_limit(options.boxes)
    memory = "/dev/shm"  # noqa: S108  thousands of boxes have thousands of disks, not this one
    with (
        TemporaryDirectory(prefix="rehabbox-load-") as name,
        TemporaryDirectory(prefix="rehabbox-load-", dir=memory if Path(memory).is_dir() else None) as disks,
    ):
        folder = Path(name)
        with (
            ThrowawayBroker(folder / "broker") as broker,
            Hospital(broker.settings_for("hospital"), folder, options.consumers) as hospital,
        ):
            _say(f"{options.boxes} boxes get keys, certificates and outboxes")
            with Fleet(broker, Path(disks), options.boxes, options.spread, options.seed, _say) as fleet:
                return _run(options, broker, hospital, fleet)


def _run(options: argparse.Namespace, broker: ThrowawayBroker, hospital: Hospital, fleet: Fleet) -> dict[str, Any]:
    journal = fleet.journal
    all_in, connect = _connect(fleet)
    steady, figures = _work(options, broker, hospital, fleet)
    all_back, restart = _restart(options, fleet)
    fleet.run_for(options.every)
    fleet.stop_making()
    arrived = partial(_all_stored, hospital, fleet)
    fleet.wait_until_all(arrived, options.patience, "connected, until all is stored")
    fleet.wait_until_all(lambda: fleet.queued == 0, options.patience, "connected, until no copy waits")
    received, aside = hospital.received(), hospital.set_aside()
    lost = [name for name in journal.put if name not in received]
    return {
        "ok": bool(all_in and all_back and not lost and not aside),
        "boxes": options.boxes,
        "results": len(journal.put),
        "lost": len(lost),
        "set_aside": len(aside),
        "queued": fleet.queued,
        "latency_ms": percentiles_ms(steady, received),
        **figures,
        "connect": connect,
        "restart": restart,
        "load_average": round(os.getloadavg()[0], 1),
        "ended": dict(journal.ended),
        "refused": dict(journal.refused),
        "seed": options.seed,
    }


def _connect(fleet: Fleet) -> tuple[bool, dict[str, float]]:
    _say("all connect at once")
    began_s = time.monotonic()
    all_in = fleet.connect(CONNECT_S)
    rush = _rush(fleet, began_s, 0, 0)
    _say(f"  {rush}")
    return all_in, rush


def _work(
    options: argparse.Namespace, broker: ThrowawayBroker, hospital: Hospital, fleet: Fleet
) -> tuple[dict[str, datetime], dict[str, Any]]:
    """Results at a steady rate, and lines that are cut: what was made, and what it took."""
    _say(f"for {options.seconds:g} s a result every {options.every:g} s from each; {options.cuts:g} lines cut a minute")
    fleet.loop.lag_s = 0.0
    broker_s, own_s, began_s = cpu_s(broker.pid), time.process_time(), time.monotonic()
    fleet.make_results(options.every)
    fleet.cut_lines(options.cuts)
    while (left_s := options.seconds - (time.monotonic() - began_s)) > 0:
        fleet.run_for(min(left_s, 30.0))
        made = len(fleet.journal.put)
        _say(f"  {made} results made, {hospital.stored} stored, {fleet.connected} boxes connected")
    took_s, made_by_now = time.monotonic() - began_s, dict(fleet.journal.put)
    fleet.stop_cutting()
    figures = {
        "results_per_s": round(len(made_by_now) / took_s, 1),
        "cpu": {
            "broker": round((cpu_s(broker.pid) - broker_s) / took_s, 3),
            "boxes": round((time.process_time() - own_s) / took_s, 3),
        },
        "lag_ms": round(fleet.loop.lag_s * 1000),
    }
    fleet.run_for(1.0)  # what was made last is on its way
    return made_by_now, figures


def _restart(options: argparse.Namespace, fleet: Fleet) -> tuple[bool, dict[str, float]]:
    _say(f"the broker is restarted, {options.away:g} s away")
    attempts, connected = len(fleet.journal.attempts), len(fleet.journal.connected)
    listening_s = fleet.restart_broker(options.away)
    all_back = fleet.wait_until_all(lambda: fleet.connected == len(fleet.boxes), BACK_S, "back")
    rush = _rush(fleet, listening_s, attempts, connected)
    _say(f"  {rush}")
    return all_back, rush


def _all_stored(hospital: Hospital, fleet: Fleet) -> bool:
    return hospital.stored >= len(fleet.journal.put)


def _rush(fleet: Fleet, began_s: float, attempts: int, connected: int) -> dict[str, float]:
    """How they came: seconds until the last was in, and the most attempts and connections within a second."""
    tried, let_in = fleet.journal.attempts[attempts:], fleet.journal.connected[connected:]
    return {
        "seconds": round(max(let_in, default=began_s) - began_s, 1),
        "attempts": len(tried),
        "attempts_peak_per_s": peak_per_s(tried),
        "connected_peak_per_s": peak_per_s(let_in),
    }


def _raise_file_limit(boxes: int) -> None:
    needed = boxes * _FILES_A_BOX + 200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise RuntimeError(f"{boxes} boxes need {needed} open files; the limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


sys.exit(main())
