"""`rehabbox watch`: a live table of boxes and results."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from time import monotonic

import click
from rich.console import Console, Group
from rich.live import Live

from appliance.board.board import Board, filters
from appliance.board.table import table_of
from appliance.commands.seconds import Seconds
from appliance.hospital.client import BrokerAddress, HospitalClient

GATHER_S = 0.25
"""Between two pictures, however much comes."""


@click.command()
@click.argument("broker")
@click.option("--site", default="+", help="Only this site's boxes.")
@click.option("--ca", type=click.Path(path_type=Path), help="The authority that signed the broker's certificate.")
@click.option("--certificate", type=click.Path(path_type=Path), help="Ours, for the broker.")
@click.option("--key", type=click.Path(path_type=Path), help="Its private key.")
@click.option("--seconds", type=Seconds(0, None, min_open=True), help="Stop after this long.")
def watch(
    broker: str, site: str, ca: Path | None, certificate: Path | None, key: Path | None, seconds: float | None
) -> None:
    """Show boxes, their alerts and the results as they arrive, until Ctrl-C.

    Where the terminal has not the lines for all, what is wrong goes first.

    BROKER is mqtts://HOST:PORT (or mqtt:// for one on this machine, in the clear).

    \b
    Example:
      rehabbox watch mqtts://broker.example:8883 --ca ca.pem --certificate ward.pem --key ward.key
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    address = BrokerAddress.parse(broker, ca, certificate, key)
    board = Board()
    console = Console()
    deadline = None if seconds is None else monotonic() + seconds
    with HospitalClient(address, f"watch-{token_hex(4)}", filters(site)) as client:

        def picture() -> Group:
            height = console.height if console.is_terminal else None
            return table_of(board, str(address), connected=client.connected, height=height)

        with (
            Live(console=console, screen=console.is_terminal) as live,
            _ended_by_a_signal(),
        ):
            while deadline is None or monotonic() < deadline:
                shown = monotonic() + GATHER_S
                while (left_s := shown - monotonic()) > 0:
                    heard = client.next(left_s)
                    if heard is not None:
                        board.hear(heard.topic, heard.payload)
                live.update(picture(), refresh=True)
        if console.is_terminal:  # its screen of its own is gone: what was shown last stays
            console.print(picture())


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """Ctrl-C or SIGTERM ends what is within, also where a shell started it in the background, with SIGINT ignored."""
    ends = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, signal.default_int_handler) for one in ends]
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for one, handler in zip(ends, before, strict=True):
            signal.signal(one, handler)
