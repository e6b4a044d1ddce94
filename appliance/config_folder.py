"""Where the files of `config/` are."""

from __future__ import annotations

import os
from pathlib import Path


def config_dir() -> Path:
    """`$REHABBOX_CONFIG`, or the `config` folder beside the package, or where the Debian package has it."""
    named = os.environ.get("REHABBOX_CONFIG")
    if named:
        return Path(named)
    beside = Path(__file__).resolve().parent.parent / "config"
    return beside if beside.is_dir() else Path("/etc/rehabbox")
