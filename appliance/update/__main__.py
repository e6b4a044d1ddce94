"""`python -m appliance.update`, as root: one look for an update, and everything that follows from it."""

from __future__ import annotations

import argparse
import logging
import sys

from appliance.update.box import Box
from appliance.update.packages import Packages
from appliance.update.record import Record
from appliance.update.run import GATE_S, attend
from appliance.update.wish import Wishes


def main() -> int:
    """Exit status: 0 the box is up to date, 1 an update failed (the version before is back), 75 a session runs."""
    parser = argparse.ArgumentParser("python -m appliance.update", description=__doc__)
    parser.add_argument("--gate-s", type=float, default=GATE_S, help="a new version must work within so many seconds")
    options = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(message)s")
    return attend(Packages(), Box(), Record(), Wishes(), options.gate_s)


if __name__ == "__main__":
    sys.exit(main())
