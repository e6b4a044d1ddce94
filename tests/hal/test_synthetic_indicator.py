"""Indicators without hardware: one logs, one is the virtual patient's ear."""

import logging
import time

import numpy as np

from hal.registry import build_indicator
from hal.types import Cue
from hal.virtual.stage import stage


def test_the_silent_indicator_logs_what_it_would_say(caplog):
    indicator = build_indicator({"driver": "silent"})
    with caplog.at_level(logging.INFO):
        indicator.show(Cue("ready", "squat", "both", 8))
        indicator.show(Cue("waiting"))
    assert [record.message for record in caplog.records] == ["cue: ready squat both 8 repetitions", "cue: waiting"]


def test_the_virtual_patient_does_what_it_hears_and_cues_are_kept_with_their_time():
    who = stage("listener")
    indicator = build_indicator({"driver": "synthetic", "patient": "listener", "reaction_s": 0.2, "tempo": 2.0})
    indicator.open()
    before = time.monotonic_ns()
    indicator.show(Cue("recording", "squat", "both", 1))
    assert [cue.kind for _, cue in indicator.cues] == ["recording"]
    assert before <= indicator.cues[0][0] <= time.monotonic_ns()
    heights = who.joints(before * 1e-9 + np.arange(0.0, 4.0, 0.05), ("pelvis",))[:, 0, 1]
    assert np.ptp(heights) > 0.2
    assert np.ptp(heights[50:]) < 0.02
    indicator.open()
    assert indicator.cues == []
