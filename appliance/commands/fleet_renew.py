"""`rehabbox fleet renew`: new certificates of the local authority for boxes in the field, by the broker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from appliance.commands.fleet_options import of_folder, passphrase_of, passphrase_option, path
from appliance.commands.output import progress_bar
from appliance.commands.seconds import Seconds
from appliance.errors import FleetError, RehabBoxError
from appliance.fleet.fleet import Fleet
from appliance.fleet.requests import requested
from appliance.hospital.asking import ask
from appliance.hospital.client import BrokerAddress
from appliance.messages.command import RotateCertificate
from appliance.messages.model import encode
from appliance.messages.topics import Topics

LIFE = timedelta(minutes=10)
"""Of a command; a box that is off is asked again another day."""


@click.command()
@click.argument("boxes", nargs=-1)
@click.option("--ending", is_flag=True, help="Every box whose certificate ends within two months.")
@click.option("--certificate", type=path, required=True, help="Ours, for the broker: a prescriber's.")
@click.option("--key", type=path, required=True, help="Of --certificate.")
@click.option("--wait", "wait_s", type=Seconds(1), default=30.0, show_default=True, help="Seconds for an answer.")
@passphrase_option
@of_folder
def renew(
    folder: Path,
    boxes: tuple[str, ...],
    ending: bool,
    certificate: Path,
    key: Path,
    wait_s: float,
    passphrase_file: Path | None,
) -> int:
    """Give BOXES new certificates while they are connected: each makes a new key and sends a request to be signed.

    Exit status 1 if a box did not answer or refused; it keeps its old one. Boxes with an EST server renew there.

    \b
    Example:
      rehabbox fleet renew --ending --certificate ris.pem --key ris.key
    """
    passphrase = passphrase_of(folder, passphrase_file)
    with Fleet(folder) as fleet:
        topics = {box.box: Topics(box.site, box.box) for box, state in fleet.store.boxes() if state == "active"}
        if ending:
            late = [box for box in topics if fleet.condition(box, "active")[0] == "ending"]
            boxes = tuple(dict.fromkeys([*boxes, *late]))
        broker = fleet.settings.broker
    if not boxes and not ending:
        raise click.UsageError("name boxes, or --ending")
    unknown = [box for box in boxes if box not in topics]
    if unknown:
        raise FleetError(f"{unknown[0]}: is no box in service; see rehabbox fleet list")
    address = BrokerAddress(broker.host, broker.systems_port, True, folder / "ca.pem", certificate, key)
    failed = 0
    with progress_bar() as bar:
        task = bar.add_task("boxes", total=len(boxes), note="")
        for box in boxes:
            try:
                said = _renewed(folder, topics[box], address, wait_s, passphrase)
            except RehabBoxError as error:
                failed += 1
                said = f"not renewed: {error}"
            click.echo(f"{box}: {said}")
            bar.advance(task)
    return 1 if failed else 0


def _renewed(folder: Path, topics: Topics, address: BrokerAddress, wait_s: float, passphrase: str | None) -> str:
    """What came of it. Raises `RehabBoxError` where the box keeps its old certificate."""
    answer = _told(topics, address, wait_s, None)
    request = answer.get("certificate_request")
    if request is None:
        return str(answer.get("detail"))
    name, _ = requested(request.encode(), "its request")
    if name != topics.box:
        raise FleetError(f"its request is for {name!r}")
    with Fleet(folder) as fleet:
        known = fleet.store.box(topics.box)
        if known is None or known[1] != "active":
            raise FleetError("it was revoked or retired meanwhile")
        told = fleet.sign(request.encode(), "its request", passphrase, again=True)
    return str(_told(topics, address, wait_s, told.certificate).get("detail"))


def _told(topics: Topics, address: BrokerAddress, wait_s: float, certificate: str | None) -> dict[str, Any]:
    now = datetime.now(UTC)
    command = RotateCertificate(id=uuid4(), box=topics.box, issued=now, expires=now + LIFE, certificate=certificate)
    topic, expiry_s = topics.command("rotate-certificate"), int(LIFE.total_seconds())
    answer = ask(address, topics, topic, encode(command), wait_s, expiry_s=expiry_s)
    if answer is None:
        raise FleetError(f"no answer within {wait_s:g} s; is it on?")
    if answer.get("outcome") != "done":
        raise FleetError(str(answer.get("reason")))
    return answer
