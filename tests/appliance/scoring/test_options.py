"""Options are checked, and scale with the rate."""

from __future__ import annotations

import math
from typing import Any

import pytest

from appliance.errors import SettingsError
from appliance.scoring.options import ScoringOptions


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"smoothness": math.nan}, "smoothness"),
        ({"smoothness": -0.1}, "smoothness"),
        ({"smoothness": math.inf}, "smoothness"),
        ({"window_s": -1.0}, "window-s"),
        ({"window_s": math.nan}, "window-s"),
        ({"rate_hz": 0.0}, "rate"),
        ({"rate_hz": 1e9}, "rate"),
        ({"phi_deg": 91.0}, "phi"),
        ({"phi_deg": math.nan}, "phi"),
        ({"joints": ("left_knee", "tail")}, "tail"),
        ({"joints": ()}, "joints"),
        ({"root": "head"}, "root"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        ScoringOptions(**given)


def test_the_window_is_two_seconds_but_never_more_than_a_quarter_of_the_base() -> None:
    assert ScoringOptions().window_frames(1000) == 60
    assert ScoringOptions().window_frames(79) == 19
    assert ScoringOptions().window_frames(3) == 0
    assert ScoringOptions(window_s=0.5, rate_hz=60).window_frames(1000) == 30
    assert ScoringOptions(window_s=1e300).window_frames(1000) == 250


def test_the_smoothness_means_the_same_at_every_rate() -> None:
    assert ScoringOptions().smoothness_per_frame == 0.01
    assert ScoringOptions(rate_hz=60).smoothness_per_frame == pytest.approx(0.0025)
    assert ScoringOptions(rate_hz=15, smoothness=0.02).smoothness_per_frame == pytest.approx(0.08)


def test_joints_are_kept_in_the_skeletons_order_each_once() -> None:
    assert ScoringOptions(joints=("right_knee", "pelvis", "right_knee")).joints == ("pelvis", "right_knee")
