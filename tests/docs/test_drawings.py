"""The patient's pictures are what the box goes by: drawn anew they are the same, and it would understand them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.exercises import exercise_by_id
from appliance.gestures import HELD_S, RaisedHands
from appliance.placing import hint_of
from appliance.track import Skeleton
from hal.indicator.signals import SIGNALS

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"


@pytest.fixture(scope="module")
def drawings() -> Any:
    sys.path.insert(0, str(ROOT / "tools" / "picturing"))
    try:
        import drawings
    finally:
        sys.path.pop(0)
    return drawings


def seen_as(positions: Any) -> Skeleton:
    return Skeleton(0, 0, 0, positions, np.ones(17))


def test_the_pictures_are_as_the_box_is_now(drawings: Any) -> None:
    """If not: tools/screenshots."""
    drawn = drawings.drawings()
    assert [name for name, svg in drawn.items() if (PICTURES / name).read_text("utf-8") != svg] == []
    page = (ROOT / "docs" / "patient.md").read_text("utf-8")
    assert [name for name in drawn if f"pictures/{name}" not in page] == []


def test_every_light_that_lasts_is_drawn(drawings: Any) -> None:
    """Not those before a patient comes, of a moment, and within a movement."""
    assert set(SIGNALS) - set(drawings.LAMPS) == {"setup", "scoring", "pressed", "beat_start", "beat_turn", "beat_end"}


@pytest.mark.parametrize("hands", [None, "left", "right", "both"])
def test_the_box_understands_the_signs_as_they_are_drawn(drawings: Any, hands: str | None) -> None:
    seen = seen_as(drawings.standing(hands))
    told = RaisedHands()
    assert told.update(seen, 0.0) is None
    for time in np.arange(0.1, HELD_S, 0.1):
        assert told.update(seen, float(time)) is None
    assert told.update(seen, HELD_S) == hands


def test_the_box_would_find_the_drawn_place_good(drawings: Any) -> None:
    from_camera = drawings.standing() * (1.0, -1.0, -1.0) + np.array([0.0, 1.0, drawings.STANDS_M])
    assert hint_of(seen_as(from_camera), exercise_by_id("squat").joints, "standing") == ""
