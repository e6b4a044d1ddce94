"""Options and answers that several commands of `rehabbox fleet` share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.errors import FleetError
from appliance.fleet.broker import reload, write_rules
from appliance.fleet.fleet import Fleet
from appliance.hospital.certificates import read_file

F = TypeVar("F", bound=Callable[..., Any])
path = click.Path(path_type=Path)
of_folder = click.make_pass_decorator(Path)
"""Gives a command the fleet's folder as its first argument."""


def passphrase_option(command: F) -> F:
    help_ = "Holds the passphrase of the authority's key; asked for on a terminal without it."
    return click.option("--passphrase-file", type=path, help=help_)(command)


def reload_option(command: F) -> F:
    help_ = "mosquitto's pid_file: it is told to read its files again."
    return click.option("--reload", "pid_file", type=path, help=help_)(command)


def tell_rules(fleet_: Fleet, passphrase: str | None, pid_file: Path | None) -> None:
    """Writes the broker's rules where they were written before, and says what is to do."""
    out = write_rules(fleet_, passphrase)
    if out is None:
        return
    if pid_file is not None:
        reload(pid_file)
        click.echo(f"{out}: rules and revocation list written, and read by the broker")
    else:
        click.echo(f"{out}: rules and revocation list written; now reload the broker (systemctl reload mosquitto)")


def passphrase_of(folder: Path, file: Path | None) -> str | None:
    """Of the authority's key: from a file, or asked for where there is a key that needs one."""
    key = folder / "ca.key"
    if file is not None:
        return first_line(file)
    if key.exists() and b"ENCRYPTED" in read_file(key) and sys.stdin.isatty():
        return str(click.prompt(f"Passphrase of {key}", hide_input=True))
    return None


def first_line(file: Path) -> str:
    """Raises `FleetError` where there is none."""
    lines = read_file(file).decode("utf-8", "replace").splitlines()
    if not lines or not lines[0]:
        raise FleetError(f"{file}: is empty; its first line should be the passphrase")
    return lines[0]
