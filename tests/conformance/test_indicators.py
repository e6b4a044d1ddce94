"""What every indicator keeps to: no cue keeps the session waiting, and none is left on. The drivers: `conftest.py`."""

import os
import threading
import time
from pathlib import Path
from typing import get_args

import pytest

from hal.errors import DriverOptionError, HalError
from hal.recovering_indicator import RecoveringIndicator
from hal.registry import driver_options
from hal.types import Cue, CueKind

CUES = [Cue(kind, *(("squat", "both", 3) if kind not in ("waiting", "fault") else ())) for kind in get_args(CueKind)]


def descriptors():
    return len(list(Path(f"/proc/{os.getpid()}/fd").iterdir()))


def test_every_cue_can_be_shown_and_none_waits(indicator):
    indicator.open()
    for cue in CUES * 3:
        began = time.monotonic()
        indicator.show(cue)
        assert time.monotonic() - began < 0.5


def test_it_opens_again_and_leaves_no_thread_and_no_descriptor(indicator):
    threads, files = set(threading.enumerate()), descriptors()
    indicator.close()
    for _ in range(3):
        indicator.open()
        indicator.show(CUES[1])
        indicator.close()
        indicator.close()
    assert set(threading.enumerate()) <= threads
    assert descriptors() <= files


def test_a_lost_one_is_an_error_and_works_again_when_it_is_back(indicator, lose, bring_back):
    indicator.open()
    lose()
    indicator.show(CUES[1])
    deadline = time.monotonic() + 5
    with pytest.raises(HalError):
        _until_refused(indicator, deadline)
    indicator.close()
    bring_back()
    indicator.open()
    indicator.show(CUES[1])


def _until_refused(indicator, deadline):
    while time.monotonic() < deadline:
        indicator.show(CUES[1])
        time.sleep(0.01)


def test_behind_the_ladder_no_cue_ever_raises(indicator, lose, bring_back):
    recovering = RecoveringIndicator(indicator)
    recovering.open()
    lose()
    deadline = time.monotonic() + 5
    while recovering.condition.state == "ok":
        assert time.monotonic() < deadline
        recovering.show(CUES[2])
        time.sleep(0.01)
    bring_back()
    recovering.show(CUES[3])
    assert recovering.condition.state == "ok"


def test_it_says_who_it_is_before_it_is_open_and_refuses_unknown_options(indicator_bench, indicator):
    assert indicator.info.driver == indicator_bench.settings["driver"]
    assert indicator.info.name
    with pytest.raises(DriverOptionError, match=r"indicator\.no_such_option"):
        driver_options("indicator", indicator_bench.settings | {"no_such_option": 1})
