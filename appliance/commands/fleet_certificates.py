"""`rehabbox fleet sign, user, revoke, retire, admit`: who is let in, and who no longer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from appliance.commands.fleet_options import (
    of_folder,
    passphrase_of,
    passphrase_option,
    path,
    reload_option,
    tell_rules,
)
from appliance.enrolment.durable import write_durably
from appliance.enrolment.hospital_file import write_told
from appliance.errors import FleetError
from appliance.fleet.authority import LocalAuthority
from appliance.fleet.broker import write_rules
from appliance.fleet.fleet import Fleet
from appliance.fleet.requests import requested
from appliance.hospital.certificates import PublicKey, key_pem, new_key, read_file

REASONS = ("unspecified", "key_compromise", "cessation_of_operation", "superseded")
"""Of RFC 5280, those that fit a box."""


@click.command()
@click.argument("requests", nargs=-1, required=True, type=path)
@click.option("--out", type=path, help="Folder of the answers; else each lies beside its request.")
@click.option("--again", is_flag=True, help="Also where the box has a valid certificate, or was revoked.")
@passphrase_option
@of_folder
def sign(folder: Path, requests: tuple[Path, ...], out: Path | None, again: bool, passphrase_file: Path | None) -> None:
    """Sign REQUESTS of boxes in the list with the local authority; the answers are for `rehabbox enrol install`.

    \b
    Example:
      rehabbox fleet sign box-1.csr
    """
    with Fleet(folder) as fleet_:
        passphrase = passphrase_of(folder, passphrase_file)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        try:
            for file in requests:
                told = fleet_.sign(read_file(file), file, passphrase, again)
                answer = (out or file.parent) / f"{told.box}.enrolment.json"
                write_told(answer, told)
                click.echo(f"{answer}: carry it to the box (rehabbox enrol install)")
        finally:  # those before a request at fault are signed
            write_rules(fleet_, passphrase)


@click.command()
@click.argument("name")
@click.option("--role", required=True, help="reader, prescriber or administrator: see config/broker/acl.")
@click.option("--request", "file", type=path, help="Of a system that made its own key (PKCS#10, PEM).")
@click.option("--out", type=path, help="Folder of NAME.pem and NAME.key; else the present one.")
@passphrase_option
@reload_option
@of_folder
def user(
    folder: Path,
    name: str,
    role: str,
    file: Path | None,
    out: Path | None,
    passphrase_file: Path | None,
    pid_file: Path | None,
) -> None:
    """Let NAME in, a person or system at the hospital: its certificate, and its key unless it made that itself.

    Where the hospital's own authority signs, only the broker's rules are changed.

    \b
    Example:
      rehabbox fleet user ward --role reader
    """
    out = out or Path()
    out.mkdir(parents=True, exist_ok=True)
    made = new_key() if file is None else None
    key = made.public_key() if made is not None else _key_requested(file, name)
    with Fleet(folder) as fleet_:
        passphrase = passphrase_of(folder, passphrase_file)
        issued = fleet_.user(name, role, key, passphrase)
        if issued is None:
            tell_rules(fleet_, passphrase, pid_file)
            click.echo(f"{name}: as {role}, with a certificate of the hospital's own authority")
            return
        if made is not None:
            write_durably(out / f"{name}.key", key_pem(made), 0o600)
        write_durably(out / f"{name}.pem", issued.pem.encode(), 0o644)
        tell_rules(fleet_, passphrase, pid_file)
    click.echo(f"{out / name}.pem{' and .key' if made is not None else ''}: until {issued.expires:%Y-%m-%d}, as {role}")


def _key_requested(file: Path | None, name: str) -> PublicKey:
    assert file is not None
    asked, key = requested(read_file(file), file)
    if asked != name:
        raise FleetError(f"{file}: was made for {asked!r}, not for {name!r}")
    return key


@click.command()
@click.argument("name")
@click.option(
    "--reason", type=click.Choice(REASONS), default="unspecified", show_default=True, help="For the revocation list."
)
@passphrase_option
@reload_option
@of_folder
def revoke(folder: Path, name: str, reason: str, passphrase_file: Path | None, pid_file: Path | None) -> None:
    """Shut box or user NAME out: its certificates go onto the revocation list, and it may do nothing at the broker.

    A box that is found again is let in by `sign --again` (or `admit`, where the hospital's own authority signs).

    \b
    Example:
      rehabbox fleet revoke box-7 --reason key_compromise --reload /etc/mosquitto/rehabbox/state/mosquitto.pid
    """
    _set_state(folder, name, "revoked", reason, passphrase_file, pid_file)


@click.command()
@click.argument("name")
@passphrase_option
@reload_option
@of_folder
def retire(folder: Path, name: str, passphrase_file: Path | None, pid_file: Path | None) -> None:
    """Take box or user NAME out of service for good; its id is not given again.

    \b
    Example:
      rehabbox fleet retire box-7
    """
    _set_state(folder, name, "retired", "cessation_of_operation", passphrase_file, pid_file)


@click.command()
@click.argument("name")
@passphrase_option
@reload_option
@of_folder
def admit(folder: Path, name: str, passphrase_file: Path | None, pid_file: Path | None) -> None:
    """Let a revoked NAME in again. Certificates of the local authority stay revoked: sign a new request.

    \b
    Example:
      rehabbox fleet admit box-7
    """
    _set_state(folder, name, "active", "unspecified", passphrase_file, pid_file)


def _set_state(
    folder: Path, name: str, state: Any, reason: str, passphrase_file: Path | None, pid_file: Path | None
) -> None:
    with Fleet(folder) as fleet_:
        passphrase = passphrase_of(folder, passphrase_file)
        if fleet_.signs_here:
            LocalAuthority(folder, passphrase)  # a wrong passphrase is told before anything changes
        taken = fleet_.set_state(name, state, reason)
        click.echo(f"{name}: {state}; certificates taken back: {', '.join(one.serial for one in taken) or 'none'}")
        tell_rules(fleet_, passphrase, pid_file)
