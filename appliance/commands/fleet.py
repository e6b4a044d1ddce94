"""`rehabbox fleet`: the hospital's boxes, their certificates, the broker's rules, labels."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.fleet_broker import acl, broker, hospital
from appliance.commands.fleet_certificates import admit, retire, revoke, sign, user
from appliance.commands.fleet_console import console
from appliance.commands.fleet_list import add, audit, init, label, list_
from appliance.commands.fleet_options import path
from appliance.commands.fleet_renew import renew


@click.group()
@click.option("--folder", type=path, default=Path("fleet"), envvar="REHABBOX_FLEET", show_default=True)
@click.pass_context
def fleet(ctx: click.Context, folder: Path) -> None:
    """Keep the hospital's boxes: list, certificates, broker, labels; every change is in an audit log.

    \b
    Example:
      rehabbox fleet init --site clinic --broker broker.hospital.example
      rehabbox fleet add --csv boxes.csv
      rehabbox fleet broker
      rehabbox fleet sign box-1.csr
    """
    ctx.obj = folder


for command in (
    init,
    add,
    list_,
    label,
    broker,
    acl,
    hospital,
    sign,
    renew,
    user,
    revoke,
    admit,
    retire,
    audit,
    console,
):
    fleet.add_command(command)
