"""After a break the box asks whether it is still the same person; between breaks it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hal.pose.identity import SamePerson, Verdict
from hal.pose.lift import Lifted, lift

PERIOD_NS = 33_333_333


def frames(
    stage: Any, stature: float, count: int, seed: int, posture: str = "standing", x: float = 0.0
) -> list[Lifted]:
    rng = np.random.default_rng(seed)
    body = stage.body(posture, stature=stature).moved(x=x)
    scene = stage.scene(stage.view(posture, 2.2))
    scene.add_person(body)
    found = []
    for _ in range(count):
        seen = stage.seen(scene, body, rng)
        found.append(lift(seen.depth, seen.lens, seen.pixels, seen.network, seen.visibility, seen.in_picture))
    return found


def fed(person: SamePerson, start_s: float, bodies: list[Lifted]) -> list[Verdict]:
    return [person.verdict(int(start_s * 1e9) + index * PERIOD_NS, body) for index, body in enumerate(bodies)]


def test_the_one_who_began_may_leave_and_come_back_sitting_and_loses_less_than_a_second(stage: Any) -> None:
    person = SamePerson()
    assert set(fed(person, 0.0, frames(stage, 1.72, 60, 1))) == {"same"}
    for start_s, seed, posture, withheld in ((10.0, 2, "standing", 12), (20.0, 3, "sitting", 19)):
        back = fed(person, start_s, frames(stage, 1.72, 30, seed, posture))
        known = back.index("same")
        assert known <= withheld
        assert set(back[:known]) == {"not_known_yet"}
        assert set(back[known:]) == {"same"}


@pytest.mark.parametrize("stature", [1.5, 1.9])
def test_no_frame_of_another_person_after_a_break_counts_and_the_first_is_known_again(
    stage: Any, stature: float
) -> None:
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 4))
    other = fed(person, 10.0, frames(stage, stature, 40, 5))
    assert other == ["not_known_yet"] * 19 + ["other"] * 21
    back = fed(person, 20.0, frames(stage, 1.7, 25, 6))
    assert "other" not in back
    assert back[-1] == "same"


def test_a_jump_across_the_room_is_a_break_too(stage: Any) -> None:
    """The network may go over to somebody else from one frame to the next, without a gap in time."""
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 7, x=-0.5))
    other = fed(person, 60 / 30, frames(stage, 1.95, 30, 8, x=0.5))
    assert "same" not in other
    assert other[-1] == "other"


def test_without_a_break_nothing_is_asked(stage: Any) -> None:
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 9))
    assert set(fed(person, 2.0, frames(stage, 1.95, 30, 10))) == {"same"}
