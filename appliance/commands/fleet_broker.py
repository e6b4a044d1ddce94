"""`rehabbox fleet broker, acl, hospital`: what the broker and the boxes are told."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.commands.fleet_options import (
    of_folder,
    passphrase_of,
    passphrase_option,
    path,
    reload_option,
    tell_rules,
)
from appliance.enrolment.hospital_file import write_told
from appliance.errors import FleetError
from appliance.fleet.broker import OwnFiles, write_broker
from appliance.fleet.fleet import Fleet


@click.command()
@click.option("--out", type=path, help="Folder of the files; else `broker` in the fleet's folder.")
@click.option("--name", "names", multiple=True, help="Host or address in its certificate; else that in fleet.toml.")
@click.option("--user", "user_", help="Whom mosquitto becomes when root starts it; the key is theirs.")
@click.option("--certificate", type=path, help="The broker's own, where the hospital's authority signed it.")
@click.option("--key", type=path, help="Of --certificate.")
@click.option("--crl", type=path, help="That authority's revocation list.")
@passphrase_option
@of_folder
def broker(
    folder: Path,
    out: Path | None,
    names: tuple[str, ...],
    user_: str | None,
    certificate: Path | None,
    key: Path | None,
    crl: Path | None,
    passphrase_file: Path | None,
) -> None:
    """Write mosquitto's settings, certificate, revocation list and rules; later changes go there, too.

    \b
    Example:
      rehabbox fleet broker --out /etc/mosquitto/rehabbox --user mosquitto
    """
    if (certificate is None) != (key is None) or (crl is not None and key is None):
        raise click.UsageError("--certificate and --key go together, and --crl with them")
    own = OwnFiles(certificate, key, crl) if certificate is not None and key is not None else None
    with Fleet(folder) as fleet_:
        out = out or folder / "broker"
        write_broker(fleet_, out, names, user_, passphrase_of(folder, passphrase_file), own)
    click.echo(f"{out / 'mosquitto.conf'}: written; start it with mosquitto -c")


@click.command()
@passphrase_option
@reload_option
@of_folder
def acl(folder: Path, passphrase_file: Path | None, pid_file: Path | None) -> None:
    """Write the broker's rules and revocation list anew, as after a change of fleet.toml.

    \b
    Example:
      rehabbox fleet acl --reload /etc/mosquitto/rehabbox/state/mosquitto.pid
    """
    with Fleet(folder) as fleet_:
        if fleet_.store.broker_files is None:
            raise FleetError("the broker's files were not written yet: rehabbox fleet broker")
        tell_rules(fleet_, passphrase_of(folder, passphrase_file), pid_file)


@click.command()
@click.option("--site", help="Where the fleet has several.")
@click.option("--out", type=path, required=True, help="File for the boxes, the same for all of a site.")
@of_folder
def hospital(folder: Path, site: str | None, out: Path) -> None:
    """Write what the boxes of a site are told (no secret), for `rehabbox enrol est`.

    \b
    Example:
      rehabbox fleet hospital --out hospital.json
    """
    with Fleet(folder) as fleet_:
        sites = fleet_.settings.sites
        if site is None and len(sites) > 1:
            raise FleetError(f"--site: which of {', '.join(sites)}?")
        write_told(out, fleet_.hospital(site or sites[0]))
    click.echo(f"{out}: for rehabbox enrol est")
