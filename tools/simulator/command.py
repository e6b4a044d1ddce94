"""The command line of `tools/simulate`."""

from __future__ import annotations

import argparse
import json
import math
import signal
from pathlib import Path

from simulator import faults
from simulator.bvh import BvhSource, Outlet
from simulator.terminal import Terminal
from simulator.xbus import XbusDevice

_FAULTS = "\n".join(f"  {kind:<13} {meaning}" for kind, meaning in faults.KINDS.items())
_HELP = f"""Plays a device, healthy or with faults, so that a set-up can be tried without one.

It first prints where it can be reached, then works until --duration is over or it is interrupted, and at last prints
as JSON what it sent and what it spoiled, to be compared with what the driver counted.

examples:
  tools/simulate xbus --sensors 17 --rate 96 --pty-link /tmp/imu --fault noise:5,2 --fault hang-up:10,1
  tools/simulate bvh --port 7001 --fault half-packets:5,2

faults, KIND:AT[,SPAN] in seconds after the first data (SPAN 1 if left out); may be repeated:
{_FAULTS}
"""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    stops: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stops.append(received))
    schedule = faults.Schedule(options.fault)
    device: XbusDevice | BvhSource
    if options.device == "xbus":
        terminal = Terminal(options.pty_link)
        print(options.pty_link or terminal.path, flush=True)
        device = XbusDevice(terminal, options.sensors, options.rate, schedule, options.seed)
    else:
        outlet = Outlet(options.port, options.udp)
        print(outlet.address, flush=True)
        device = BvhSource(outlet, options.rate, schedule, options.seed, as_text=options.text,
                           displacement=not options.no_displacement, reference=options.reference)  # fmt: skip
    device.run(options.duration, lambda: bool(stops))
    if options.device == "xbus" and options.pty_link:
        options.pty_link.unlink(missing_ok=True)
    print(json.dumps({"device": options.device, "rate_hz": options.rate, **device.injected}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools/simulate", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    devices = parser.add_subparsers(dest="device", required=True, metavar="xbus|bvh")
    xbus = devices.add_parser("xbus", help="an Xbus Master with sensors, or one MTi, on a pseudo-terminal")
    xbus.add_argument(
        "--sensors", type=_sensors, default=17, help="behind a master (1-32); 0: a single MTi (default 17)"
    )
    xbus.add_argument("--pty-link", type=Path, help="a name for the port that stays the same after a hang-up")
    bvh = devices.add_parser("bvh", help="the BVH broadcast of Axis Neuron and Axis Studio")
    bvh.add_argument("--port", type=int, default=7001, help="TCP port to serve (default 7001; 0: any free one)")
    bvh.add_argument("--udp", type=_address, metavar="HOST:PORT", help="send datagrams there instead")
    bvh.add_argument("--text", action="store_true", help="text instead of binary frames")
    bvh.add_argument("--no-displacement", action="store_true", help="angles only, but for the root")
    bvh.add_argument("--reference", action="store_true", help="six values of a reference in front")
    for device in (xbus, bvh):
        device.add_argument("--rate", type=_rate, default=96, help="samples a second (default 96)")
        device.add_argument("--fault", type=faults.parse, action="append", default=[], metavar="KIND:AT[,SPAN]")
        device.add_argument("--duration", type=float, default=math.inf, help="seconds (default: until interrupted)")
        device.add_argument("--seed", type=int, default=1, help="of everything random (default 1)")
    return parser


def _sensors(text: str) -> int:
    return _within(text, 0, 32)


def _rate(text: str) -> int:
    return _within(text, 1, 400)


def _within(text: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r}: must be a whole number from {least} to {most}")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: must be HOST:PORT")
    return host, int(port)
