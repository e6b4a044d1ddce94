"""Compiles what the first patient would otherwise wait for; from then on it is read from where numba keeps it."""

from __future__ import annotations

import logging
import time

import numpy as np

from appliance.scoring.compare import compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import INDEX, recording_of
from hal.virtual.patient import reference

_log = logging.getLogger(__name__)


def warm_up() -> None:
    """Scores the virtual instructor, seen whole and with a joint hidden: half a minute on a slow box the first time."""
    began = time.monotonic()
    times, positions = reference("shoulder_abduction", "left", 1)
    hidden = positions.copy()
    hidden[::3, INDEX["left_knee"]] = np.nan
    prepared = prepare_reference(recording_of(times, positions), ScoringOptions())
    for seen in (positions, hidden):
        compare(prepared, recording_of(times, seen))
    _log.info("the scorer is ready after %.1f s", time.monotonic() - began)
