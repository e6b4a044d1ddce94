"""Somebody else in the room is proposed by depth; walls, the floor and the person measured are not."""

from __future__ import annotations

from typing import Any

import numpy as np

from hal.pose.bystanders import Box, human_sized


def boxes(stage: Any, *others: Any, tilt_up: bool = True) -> tuple[list[Box], Any]:
    rng = np.random.default_rng(21)
    body = stage.body("standing").moved(x=-0.4)
    scene = stage.scene(stage.view("standing", 2.5))
    scene.add_person(body)
    for other in others:
        scene.add_person(other, first=False)
    seen = stage.seen(scene, body, rng)
    return human_sized(seen.depth, seen.lens, seen.up, seen.pixels[seen.in_picture]), scene


def test_a_person_alone_has_no_bystander(stage: Any) -> None:
    assert boxes(stage)[0] == []


def test_a_second_person_is_found_where_they_stand(stage: Any) -> None:
    other = stage.body("standing", stature=1.6).moved(x=0.7, z=-0.5)
    found, scene = boxes(stage, other)
    assert len(found) == 1
    nose, ankle = scene.pixels(np.array([other.joints["nose"], other.joints["left_ankle"]]))
    assert found[0].left < nose[0] < found[0].right
    assert found[0].top < nose[1]
    assert found[0].bottom > ankle[1] - 40


def test_somebody_sitting_farther_back_is_found(stage: Any) -> None:
    found, _ = boxes(stage, stage.body("sitting").moved(x=0.8, z=-0.8))
    assert len(found) == 1


def test_a_doll_on_the_floor_is_too_small_to_be_looked_at(stage: Any) -> None:
    assert boxes(stage, stage.body("standing", stature=0.4).moved(x=0.7))[0] == []


def test_overlap_is_intersection_over_union() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 15, 10)) == 50 / 150
    assert Box(0, 0, 10, 10).overlap(Box(20, 0, 30, 10)) == 0
