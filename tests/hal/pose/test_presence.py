"""People pass, pictures of people do not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hal.pose.lift import lift
from hal.pose.presence import body_refused
from hal.types import Absent


def verdict(seen: Any) -> Absent | None:
    found = lift(seen.depth, seen.lens, seen.pixels, seen.network, seen.visibility, seen.in_picture)
    return body_refused(seen.depth, seen.lens, seen.network, found)


@pytest.mark.parametrize("posture", ["standing", "sitting", "lying"])
@pytest.mark.parametrize(("away", "stature", "girth"), [(1.5, 1.9, 1.2), (2.0, 1.5, 0.8), (3.0, 1.7, 1.0)])
def test_people_pass(stage: Any, posture: str, away: float, stature: float, girth: float) -> None:
    rng = np.random.default_rng(int(10 * away))
    body = stage.body(posture, stature=stature, girth=girth)
    scene = stage.scene(stage.view(posture, away))
    scene.add_person(body)
    for _ in range(3):
        assert verdict(stage.seen(scene, body, rng)) is None


@pytest.mark.parametrize("hip", [70.0, 95.0])
@pytest.mark.parametrize("away", [1.8, 2.8])
def test_somebody_who_squats_with_both_arms_towards_the_camera_passes(stage: Any, hip: float, away: float) -> None:
    """Hands hide elbows and shoulders, knees the hips: hardly a bone is left to tell the size by."""
    rng = np.random.default_rng(14)
    body = stage.person(1.75, hip=hip, knee=hip + 15, arm=90.0, spread=3.0, elbow=2.0)
    scene = stage.scene(stage.view("standing", away))
    scene.add_person(body)
    for _ in range(8):
        assert verdict(stage.seen(scene, body, rng)) is None


@pytest.mark.parametrize(("arm", "elbow"), [(25.0, 40.0), (15.0, 70.0)])
@pytest.mark.parametrize(("stature", "girth"), [(1.55, 1.0), (1.85, 1.1)])
def test_somebody_who_sits_close_with_the_feet_out_of_the_picture_passes(
    stage: Any, stature: float, girth: float, arm: float, elbow: float
) -> None:
    """The trunk is one barrel, the forearms point at the camera: hardly a limb shows its sides, but knees stand out."""
    rng = np.random.default_rng(15)
    body = stage.person(stature, girth, hip=85.0, knee=85.0, arm=arm, elbow=elbow)
    shoulders, hips = ((body.joints[f"left_{part}"] + body.joints[f"right_{part}"]) / 2 for part in ("shoulder", "hip"))
    size = girth * stature / 1.75
    limbs = [capsule for capsule in body.capsules if capsule[2] != 0.10 * size]
    body = replace(body, capsules=[*limbs, (0.9 * shoulders + 0.1 * hips, hips, 0.13 * size)])
    scene = stage.scene(stage.view("sitting", 1.5))
    scene.add_person(body)
    for _ in range(10):
        assert verdict(stage.seen(scene, body, rng)) is None


def poster(stage: Any, kind: str, away: float) -> tuple[Any, Any]:
    """A life-size picture of somebody standing at the plane z = 0: the landmarks are a person's, the depth is not."""
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", away), wall={"on the wall": 0.0, "close to a wall": 0.15}.get(kind, 1.5))
    if kind == "cut out":
        scene.add_person(body)
        stage.cut_out(scene)
    elif kind == "in folds":
        for panel in range(6):
            middle = np.array([0.12 * panel - 0.3, 0.9, 0])
            scene.add_board(middle, np.array([0.06, 0, 0.03 * (-1) ** panel]), np.array([0, 0.9, 0]))
    elif kind != "on the wall":
        curl = 0.08 if kind == "curled" else 0.0
        scene.add_board(np.array([0, 0.9, 0]), np.array([0.35, 0, 0.1]), np.array([0, 0.9, 0]), curl)
    return scene, body


@pytest.mark.parametrize("kind", ["on the wall", "on a stand", "close to a wall", "curled", "in folds", "cut out"])
@pytest.mark.parametrize("away", [2.0, 3.0])
def test_a_life_size_poster_is_refused_as_flat(stage: Any, kind: str, away: float) -> None:
    rng = np.random.default_rng(11)
    scene, body = poster(stage, kind, away)
    for _ in range(4):
        refused = verdict(stage.seen(scene, body, rng))
        assert refused is not None
        assert refused.reason == "not_a_body"
        assert "flat" in refused.detail


def test_a_doll_is_too_small_however_round_it_is(stage: Any) -> None:
    rng = np.random.default_rng(12)
    doll = stage.body("standing", stature=0.45)
    scene = stage.scene(stage.view("standing", 1.0))
    scene.add_person(doll.moved(y=0.6))
    seen = stage.seen(scene, doll.moved(y=0.6), rng, noise_px=1.0)
    grown = seen.network * (1.7 / 0.45)  # the network takes everybody for an adult
    found = lift(seen.depth, seen.lens, seen.pixels, grown, seen.visibility, seen.in_picture)
    refused = body_refused(seen.depth, seen.lens, grown, found)
    assert refused is not None
    assert refused.reason == "not_a_body"
    assert "size" in refused.detail


def test_a_screen_that_gives_no_depth_is_refused(stage: Any) -> None:
    body = stage.body("standing")
    scene = stage.scene(stage.view("standing", 2.0))
    seen = stage.seen(scene, body, np.random.default_rng(13))
    left, top = seen.pixels.min(axis=0).astype(int) - 30
    right, bottom = seen.pixels.max(axis=0).astype(int) + 30
    seen.depth[max(0, top) : bottom, left:right] = 0
    refused = verdict(seen)
    assert refused is not None
    assert refused.reason == "too_little_depth"
