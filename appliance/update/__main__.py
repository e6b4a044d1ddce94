"""`python -m appliance.update`, as root: one look for an update, and everything that follows from it."""

from __future__ import annotations

import logging
import sys

from appliance.update.box import Box
from appliance.update.packages import Packages, UpdateError
from appliance.update.run import update


def main() -> int:
    """Exit status: 0 the box is up to date or a session runs, 1 an update failed (the version before is back)."""
    logging.basicConfig(level="INFO", format="%(message)s")
    try:
        return update(Packages(), Box())
    except UpdateError as error:
        logging.getLogger(__name__).error("no update: %s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
