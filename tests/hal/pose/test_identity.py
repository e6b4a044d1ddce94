"""After a break the box asks whether it is still the same person; between breaks it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hal.pose.identity import SamePerson
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


def fed(person: SamePerson, start_s: float, bodies: list[Lifted]) -> list[bool]:
    return [
        person.somebody_else(int(start_s * 1e9) + index * PERIOD_NS, body) for index, body in enumerate(bodies)
    ]  # fmt: skip


def test_the_one_who_began_may_leave_and_come_back_sitting(stage: Any) -> None:
    person = SamePerson()
    assert not any(fed(person, 0.0, frames(stage, 1.72, 60, 1)))
    assert not any(fed(person, 10.0, frames(stage, 1.72, 30, 2)))
    assert not any(fed(person, 20.0, frames(stage, 1.72, 30, 3, "sitting")))


@pytest.mark.parametrize("stature", [1.5, 1.9])
def test_another_person_after_a_break_is_noticed_until_the_first_is_back(stage: Any, stature: float) -> None:
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 4))
    other = fed(person, 10.0, frames(stage, stature, 40, 5))
    assert not any(other[:19])
    assert all(other[19:])
    back = fed(person, 20.0, frames(stage, 1.7, 25, 6))
    assert not any(back)


def test_a_jump_across_the_room_is_a_break_too(stage: Any) -> None:
    """The network may go over to somebody else from one frame to the next, without a gap in time."""
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 7, x=-0.5))
    assert fed(person, 60 / 30, frames(stage, 1.95, 30, 8, x=0.5))[-1]


def test_without_a_break_nothing_is_asked(stage: Any) -> None:
    person = SamePerson()
    fed(person, 0.0, frames(stage, 1.7, 60, 9))
    assert not any(fed(person, 2.0, frames(stage, 1.95, 30, 10)))
