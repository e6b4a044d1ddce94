"""Drivers that name the same patient meet the same person, who does what the box says."""

import gc
import logging
import time

import numpy as np
import pytest

from hal.types import Cue
from hal.virtual.stage import Manner, stage

PELVIS = ("pelvis",)
PROMPT = Manner(reaction_s=0.1)


def height(of, times):
    return of.joints(np.asarray(times), PELVIS)[:, 0, 1]


def test_a_name_is_one_person_as_long_as_somebody_holds_it():
    mine, yours, other = stage("ann"), stage("ann"), stage("ben")
    assert mine is yours
    assert mine is not other
    mine.hear(Cue("ready", "supine_bridge", "both", 3), time.monotonic(), PROMPT)
    del mine, yours
    gc.collect()
    now = time.monotonic()
    assert height(stage("ann"), [now + 10.0])[0] > 0.7


def test_the_patient_rests_at_ready_moves_at_recording_and_rests_again():
    of, now = stage("cleo"), time.monotonic()
    of.hear(Cue("ready", "squat", "both", 2), now, PROMPT)
    assert np.ptp(height(of, now + np.arange(2.0, 5.0, 0.1))) < 0.02
    of.hear(Cue("recording", "squat", "both", 2), now + 5.0, PROMPT)
    during = height(of, now + 5.0 + np.arange(0.0, 9.0, 0.05))
    assert np.ptp(during) > 0.2
    assert np.ptp(height(of, now + 20.0 + np.arange(0.0, 3.0, 0.1))) < 0.02


def test_a_set_waits_until_the_patient_has_got_into_position():
    of, now = stage("dora"), time.monotonic()
    of.hear(Cue("ready", "supine_bridge", "both", 2), now, PROMPT)
    of.hear(Cue("recording", "supine_bridge", "both", 2), now + 0.2, PROMPT)
    lying, up = height(of, [now + 1.65, now + 3.4])
    assert lying < 0.12
    assert up > 0.2


@pytest.mark.parametrize("kind", ["done", "abandoned"])
def test_the_patient_stops_in_the_middle_when_told(kind):
    of, now = stage("emil"), time.monotonic()
    of.hear(Cue("recording", "squat", "both", 9), now, PROMPT)
    of.hear(Cue(kind, "squat", "both"), now + 6.0, PROMPT)
    assert np.ptp(height(of, now + np.arange(1.0, 6.0, 0.1))) > 0.2
    assert np.ptp(height(of, now + np.arange(7.2, 20.0, 0.1))) < 0.02


def test_an_unknown_exercise_leaves_the_patient_at_rest_with_a_warning(caplog):
    of, now = stage("fay"), time.monotonic()
    with caplog.at_level(logging.WARNING):
        of.hear(Cue("recording", "our_own_exercise", "both", 5), now, PROMPT)
    assert "our_own_exercise" in caplog.text
    assert np.ptp(height(of, now + np.arange(0.0, 5.0, 0.1))) < 0.02
