"""Compiles what the first patient would otherwise wait for; from then on it is read from where numba keeps it."""

from __future__ import annotations

import logging
import time

import numpy as np

from appliance.scoring.compare import compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import INDEX, JOINTS, recording_of

_log = logging.getLogger(__name__)


FRAMES = 90


def warm_up() -> None:
    """Scores a made-up movement, seen whole and with a joint hidden: half a minute on a slow box the first time."""
    began = time.monotonic()
    times = np.arange(FRAMES) / 30.0
    # Any points far enough apart will do for a body, and any waves for its movement.
    places = np.random.default_rng(1).normal(0.0, 0.5, (len(JOINTS), 3))
    positions = places + 0.2 * np.sin(times[:, None, None] + places)
    hidden = positions.copy()
    hidden[::3, INDEX["left_knee"]] = np.nan
    prepared = prepare_reference(recording_of(times, positions), ScoringOptions())
    for seen in (positions, hidden):
        compare(prepared, recording_of(times, seen))
    _log.info("the scorer is ready after %.1f s", time.monotonic() - began)
