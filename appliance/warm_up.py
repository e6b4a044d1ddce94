"""Compiles what the first patient would otherwise wait for; from then on it is read from where numba keeps it.

The compiler keeps some 150 MB for good. Where there is a folder for what it makes (`NUMBA_CACHE_DIR`), another process
compiles, and this one only reads.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time

import numpy as np

from appliance.scoring.compare import compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import INDEX, JOINTS, recording_of
from hal.warm_up import warm_up as warm_up_depth

_log = logging.getLogger(__name__)

DEPTH = "--depth"
"""What the process that compiles is told."""
FRAMES = 90


def warm_up(*, depth: bool) -> None:
    """Half a minute on a slow box the first time. depth: whether the box has a depth camera."""
    began = time.monotonic()
    if os.environ.get("NUMBA_CACHE_DIR") and _compiled_elsewhere(depth):
        _score()  # the loops over depth are read when a depth camera first gives a picture
    else:
        run_all(depth=depth)
    _log.info("the scorer is ready after %.1f s", time.monotonic() - began)


def _compiled_elsewhere(depth: bool) -> bool:
    """Where that fails, this process compiles. The pipe to it breaks, and it ends, when this one does."""
    options = ["-I"] if sys.flags.isolated else []
    command = [sys.executable, *options, "-m", "appliance.warm_up", *([DEPTH] if depth else [])]
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE) as compiler:
            if status := compiler.wait():
                _log.warning("the compiler ended with %d", status)
            return status == 0
    except OSError as error:
        _log.warning("the compiler cannot be started: %s", error)
        return False


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def run_all(*, depth: bool) -> None:
    """Every compiled loop that a session may come to runs once, with arguments of the types that it has there."""
    _score()
    if depth:
        warm_up_depth()


def _score() -> None:
    times = np.arange(FRAMES) / 30.0
    # Any points far enough apart will do for a body, and any waves for its movement.
    places = np.random.default_rng(1).normal(0.0, 0.5, (len(JOINTS), 3))
    positions = places + 0.2 * np.sin(times[:, None, None] + places)
    hidden = positions.copy()
    hidden[::3, INDEX["left_knee"]] = np.nan
    prepared = prepare_reference(recording_of(times, positions), ScoringOptions())
    still = np.broadcast_to(places, positions.shape)  # is aligned in another way, since all frames fit as well
    for seen in (positions, hidden, still):
        compare(prepared, recording_of(times, seen))


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run_all(depth=DEPTH in sys.argv)
