"""`rehabbox run`: the daemon."""

from __future__ import annotations

import faulthandler
import os
from pathlib import Path

import click

from appliance.journal import log_to_supervisor
from appliance.memory import give_memory_back
from appliance.settings import Settings, load_settings


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path), help="TOML file; see config/settings.toml.")
@click.option("--set-up", is_flag=True, help="Look for devices, and wait for them and for the enrolment.")
def run(file: Path | None, set_up: bool) -> None:
    """Run the box until SIGTERM: wait for prescriptions, record, score, send results.

    Settings come from --settings, else /etc/rehabbox/settings.toml, else the project's config/settings.toml; every key
    can be overridden in the environment: REHABBOX_BROKER__HOST=broker.example.

    With --set-up a new box does not refuse to start: it shows that it waits, uses the devices that are plugged in, and
    begins to work as soon as `rehabbox enrol` has put its enrolment in force.

    \b
    Example:
      rehabbox run --settings /etc/rehabbox/settings.toml
    """
    os.umask(0o077)  # whoever starts it: what the box writes is for its own user alone
    give_memory_back()
    faulthandler.enable()  # a box that the watchdog ends says where each thread stood
    settings = _set_up(file) if set_up else load_settings(file)
    if settings is None:
        return
    log_to_supervisor(settings.log_level)
    from appliance.daemon import Daemon  # a settings error is told before half a second of imports

    Daemon(settings).run()


def _set_up(file: Path | None) -> Settings | None:
    from appliance.first_boot.waiting import set_up

    log_to_supervisor("INFO")
    return set_up(file)
