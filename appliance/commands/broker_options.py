"""The options of commands by which the hospital speaks with one box over its broker."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from appliance.hospital.client import BrokerAddress


def broker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the argument BROKER and `--site`, `--box`, `--ca`, `--certificate`, `--key`.

    The command gets `address`, `site` and `box`.
    """

    @click.argument("broker")
    @click.option("--site", required=True, help="The hospital's name for the place.")
    @click.option("--box", required=True, help="The box's id.")
    @click.option("--ca", type=click.Path(path_type=Path), help="The authority that signed the broker's certificate.")
    @click.option("--certificate", type=click.Path(path_type=Path), help="Ours, for the broker.")
    @click.option("--key", type=click.Path(path_type=Path), help="Its private key.")
    @wraps(command)
    def with_address(broker: str, ca: Path | None, certificate: Path | None, key: Path | None, **others: Any) -> Any:
        if (certificate is None) != (key is None):
            raise click.UsageError("--certificate and --key go together")
        for name in ("site", "box"):
            if not others[name] or set(others[name]) & set("/+#\0"):
                raise click.UsageError(f"--{name} {others[name]}: must be one level of a topic")
        return command(address=BrokerAddress.parse(broker, ca, certificate, key), **others)

    return with_address
