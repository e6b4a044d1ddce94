"""`rehabbox run`: the daemon."""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path

import click

from appliance.journal import log_to_supervisor
from appliance.settings import load_settings


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path), help="TOML file; see config/settings.toml.")
def run(file: Path | None) -> None:
    """Run the box until SIGTERM: wait for prescriptions, record, score, send results.

    Settings come from --settings, else /etc/rehabbox/settings.toml, else the project's config/settings.toml; every key
    can be overridden in the environment: REHABBOX_BROKER__HOST=broker.example.

    \b
    Example:
      rehabbox run --settings /etc/rehabbox/settings.toml
    """
    settings = load_settings(file)
    os.umask(0o077)  # whoever starts it: what the box writes is for its own user alone
    log_to_supervisor(settings.log_level)
    faulthandler.enable()  # a box that the watchdog ends says where each thread stood
    from appliance.daemon import Daemon  # a settings error is told before half a second of imports

    Daemon(settings).run()
