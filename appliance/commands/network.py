"""`rehabbox network`: the box's network from one file."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.first_boot.network import apply, read_network


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Only say whether FILE is right.")
def network(file: Path, check: bool) -> None:
    """Put the network that FILE describes in force: wire or Wi-Fi, by DHCP or with an address; as root.

    What FILE may hold: /usr/share/doc/rehabbox/install.md. A Wi-Fi's passphrase is kept in a file that only root reads.

    \b
    Example:
      rehabbox network --check network.toml
    """
    told = read_network(file)
    if check:
        click.echo(f"{file}: is right")
        return
    for written in apply(told):
        click.echo(f"written: {written}")
