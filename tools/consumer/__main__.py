"""An example of a hospital's side: results of all boxes into a database, divided among any number of consumers."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import socket
import sys
import threading
from pathlib import Path

from receiver import Broker, BrokerRefusedError, Receiver
from store import StoreError, store_at

_HELP = """Receives results from the broker and stores each once, in SQLite or PostgreSQL.

Start as many as the load needs, each under its own --name: the broker divides the results of one --group among them.
A message is acknowledged when its result is committed, so a consumer may be killed at any time; started again under
its name it receives what it had not acknowledged. What cannot be stored is set aside with the reason.

examples:
  tools/consume --broker broker.example --ca ca.pem --certificate hospital.pem --key hospital.key --store results.db
  tools/consume --broker broker.example --ca ca.pem --certificate hospital.pem --key hospital.key \\
      --store postgresql://rehab@db.example/rehab --name ward-2
  tools/consume --store results.db --report
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/consume", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", required=True, help="a SQLite file, or postgresql://USER@HOST/NAME")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="port 8883 unless said")
    parser.add_argument("--ca", type=Path, help="the authority that signed the broker's certificate, PEM")
    parser.add_argument("--certificate", type=Path, help="our certificate, PEM")
    parser.add_argument("--key", type=Path, help="its private key, PEM")
    parser.add_argument(
        "--name", default=f"consumer-{socket.gethostname()}", help="MQTT client id (default: the host's)"
    )
    parser.add_argument("--group", default="results", help="consumers that share the load (default results)")
    parser.add_argument("--site", default="+", help="one site's boxes alone (default: every site we may hear)")
    parser.add_argument("--leave", action="store_true", help="give up this name's share, store what it holds, and end")
    parser.add_argument("--report", action="store_true", help="print counts, holes and what is set aside; no broker")
    options = parser.parse_args()
    if not options.report and None in (options.broker, options.ca, options.certificate, options.key):
        parser.error("--broker, --ca, --certificate and --key are needed (or --report)")
    return options


def _broker(options: argparse.Namespace) -> Broker:
    host, _, port = options.broker.partition(":")
    if port and not port.isdigit():
        raise ValueError(f"--broker {options.broker}: the port is no number")
    return Broker(host, int(port or 8883), options.ca, options.certificate, options.key)


def main() -> int:
    """0: done; 1: the report names holes or something set aside; 2: it cannot start."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    try:
        store = store_at(options.store)
        if options.report:
            with store:
                report = store.report()
            print(json.dumps(report))
            return 1 if report["holes"] or report["set_aside"] else 0
        receiver = Receiver(_broker(options), store, name=options.name, group=options.group, site=options.site)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        receiver.run(stopping.is_set, stopping.wait, leave=options.leave)
    except (StoreError, BrokerRefusedError, OSError, ValueError) as error:
        print(f"tools/consume: {error}", file=sys.stderr)
        return 2
    return 0


sys.exit(main())
