"""`python -m appliance.update`, as root: one look for an update, and everything that follows from it."""

from __future__ import annotations

import argparse
import logging
import sys

from appliance.update.box import Box
from appliance.update.packages import Packages, UpdateError
from appliance.update.record import Record
from appliance.update.run import GATE_S, SESSION_RUNS, update
from appliance.update.wish import UpdateOutcome, fulfilled, take


def main() -> int:
    """Exit status: 0 the box is up to date, 1 an update failed (the version before is back), 75 a session runs."""
    parser = argparse.ArgumentParser("python -m appliance.update", description=__doc__)
    parser.add_argument("--gate-s", type=float, default=GATE_S, help="a new version must work within so many seconds")
    options = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(message)s")
    wish, packages, record, why = take(), Packages(), Record(), None
    try:
        status = update(packages, Box(), record, wish.version if wish else None, options.gate_s)
    except UpdateError as error:
        logging.getLogger(__name__).error("no update: %s", error)
        status, why = 1, str(error)
    if wish is not None and status != SESSION_RUNS:
        works = status == 0 and packages.installed() == wish.version
        why = why or (record.why if status else None) or "another version was installed in its place; ask again"
        fulfilled(wish, UpdateOutcome(works, f"{wish.version} is installed and works" if works else why))
    return status


if __name__ == "__main__":
    sys.exit(main())
