"""`rehabbox fleet init, add, list, label, audit`: who the boxes are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from appliance.commands.fleet_options import first_line, of_folder, passphrase_option, path
from appliance.commands.output import json_option, print_json, progress_bar
from appliance.errors import FleetError
from appliance.fleet.boxes import Box, read_boxes
from appliance.fleet.fleet import Fleet
from appliance.fleet.founding import make_fleet
from appliance.hospital.certificates import fingerprint, read_certificates, read_file


@click.command()
@click.option("--site", "sites", multiple=True, required=True, help="A level of the topics; once for each.")
@click.option("--broker", required=True, metavar="HOST[:PORT]", help="As boxes reach it.")
@click.option(
    "--systems-port", type=click.IntRange(1, 65535), default=8884, show_default=True, help="For the hospital."
)
@click.option("--est", metavar="HOST[:PORT]", help="The hospital's enrolment server (RFC 7030), where it has one.")
@click.option("--ca", type=path, help="The hospital's own authority (PEM); without it a local one is made.")
@click.option("--ask-passphrase", is_flag=True, help="Encrypt the local authority's key.")
@passphrase_option
@of_folder
def init(
    folder: Path,
    sites: tuple[str, ...],
    broker: str,
    systems_port: int,
    est: str | None,
    ca: Path | None,
    ask_passphrase: bool,
    passphrase_file: Path | None,
) -> None:
    """Make a fleet's folder: settings, an authority, the key that references are signed with.

    \b
    Example:
      rehabbox fleet init --site clinic --broker broker.hospital.example:8883
    """
    passphrase = None
    if passphrase_file is not None:
        passphrase = first_line(passphrase_file)
    elif ask_passphrase:
        passphrase = click.prompt("Passphrase of the authority's key", hide_input=True, confirmation_prompt=True)
    server = _place("--est", est, 443) if est else None
    make_fleet(folder, sites, _place("--broker", broker, 8883), systems_port, server, ca, passphrase)
    click.echo(f"{folder}: made; its settings are {folder / 'fleet.toml'}")
    if ca is None and passphrase is None:
        click.echo(f"{folder / 'ca.key'} is not encrypted: keep the folder on an encrypted disk")


@click.command()
@click.argument("box", required=False)
@click.option("--csv", "file", type=path, help="Many: columns box, serial, note, and site where there are several.")
@click.option("--site", help="Of BOX, where the fleet has several.")
@click.option("--serial", default="", help="Of BOX: the device's serial number.")
@click.option("--note", default="", help="Of BOX.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, change nothing.")
@json_option
@of_folder
def add(
    folder: Path,
    box: str | None,
    file: Path | None,
    site: str | None,
    serial: str,
    note: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Put BOX, or every box of a CSV file, into the list: all rows or, if one is wrong, none.

    The same list again changes nothing. Boxes that are not in the file stay as they are.

    \b
    Example:
      rehabbox fleet add box-1 --serial RB-2041
      rehabbox fleet add --csv boxes.csv --dry-run
    """
    if (box is None) == (file is None):
        raise click.UsageError("name one BOX, or a file with --csv")
    with Fleet(folder) as fleet_, progress_bar() as bar:
        sites = fleet_.settings.sites
        if box is not None:
            boxes = [Box(box, site or (sites[0] if len(sites) == 1 else ""), serial, note)]
        else:
            assert file is not None
            boxes = read_boxes(file, sites)
        task = bar.add_task("boxes", total=len(boxes), note="")
        counts = fleet_.add(boxes, dry_run, lambda: bar.advance(task))
    numbers = {name: getattr(counts, name) for name in ("added", "changed", "same", "retired")}
    if as_json:
        print_json(numbers | {"dry_run": dry_run})
        return
    said = ", ".join(f"{number} {name}" for name, number in numbers.items() if number or name != "retired")
    click.echo(f"{_boxes(len(boxes))}: {said}{'; nothing was changed (--dry-run)' if dry_run else ''}")


@click.command("list")
@json_option
@of_folder
def list_(folder: Path, as_json: bool) -> None:
    """Every box and user with the state of its certificate.

    \b
    Example:
      rehabbox fleet list --json
    """
    with Fleet(folder) as fleet_:
        boxes, users = [], []
        for box, state in fleet_.store.boxes():
            known = {"box": box.box, "site": box.site, "serial": box.serial, "note": box.note}
            boxes.append(known | _standing(fleet_, box.box, state))
        for name, role, state in fleet_.store.users():
            users.append({"user": name, "role": role} | _standing(fleet_, name, state))
    if as_json:
        print_json({"boxes": boxes, "users": users})
        return
    table = Table(box=SIMPLE_HEAD)
    for heading in ("name", "site or role", "serial", "state", "until", "note"):
        table.add_column(heading)
    for one in boxes:
        table.add_row(one["box"], one["site"], one["serial"], one["state"], (one["until"] or "")[:10], one["note"])
    for one in users:
        table.add_row(one["user"], one["role"], "", one["state"], (one["until"] or "")[:10], "")
    Console(markup=False, emoji=False).print(table)  # a note may hold brackets


def _standing(fleet_: Fleet, name: str, state: Any) -> dict[str, Any]:
    condition, issued = fleet_.condition(name, state)
    until = issued.expires.isoformat(timespec="seconds") if issued else None
    return {"state": condition, "certificate": issued.serial if issued else None, "until": until}


@click.command()
@click.argument("boxes", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every box that is not retired.")
@click.option("--out", type=path, required=True, help=".pdf (a page a label), .svg or .png")
@of_folder
def label(folder: Path, boxes: tuple[str, ...], all_: bool, out: Path) -> None:
    """Draw the labels of BOXES: id, serial number, and a QR code of both and of the authority's fingerprint.

    \b
    Example:
      rehabbox fleet label --all --out labels.pdf
    """
    from appliance.fleet.label import write_labels

    with Fleet(folder) as fleet_:
        known = {box.box: box for box, state in fleet_.store.boxes() if state != "retired"}
        missing = [name for name in boxes if name not in known]
        if missing:
            raise FleetError(f"{missing[0]}: is no box in service; see rehabbox fleet list")
        if not boxes and not all_:
            raise click.UsageError("name boxes, or --all")
        if not known:
            raise FleetError(f"{folder}: has no box in service; put some into the list first (rehabbox fleet add)")
        chosen = list(known.values()) if all_ else [known[name] for name in boxes]
        authority = read_certificates(read_file(folder / "ca.pem"), folder / "ca.pem")[0]
    write_labels(out, chosen, fingerprint(authority))
    click.echo(f"{out}: {_boxes(len(chosen))}")


@click.command()
@click.option("--verify", is_flag=True, help="Only say whether it is whole.")
@of_folder
def audit(folder: Path, verify: bool) -> int:
    """The log of every change: who, when, what; one line of JSON each. Exit status 1 if it is not whole.

    \b
    Example:
      rehabbox fleet audit --verify
    """
    with Fleet(folder) as fleet_:
        head = fleet_.store.head
        fault = fleet_.audit.verify(head)
        if not verify:
            click.echo(fleet_.audit.text(), nl=False)
    if fault is not None:
        click.echo(fault, err=True)
        return 1
    if verify:
        click.echo(f"{head.number} entries, whole; the last one's digest is {head.digest}")
    return 0


def _boxes(number: int) -> str:
    return "1 box" if number == 1 else f"{number} boxes"


def _place(option: str, text: str, port: int) -> tuple[str, int]:
    """HOST[:PORT]"""
    host, _, said = text.partition(":")
    if not host or not (said or "0").isdecimal():
        raise FleetError(f"{option} {text}: write HOST or HOST:PORT")
    return host, int(said or port)
