"""A camera that was moved is noticed by gravity and the floor, in a simulated room with a depth camera's noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from hal.camera.lens import rays
from hal.camera.placement import Placement, compare, measure_placement
from hal.types import Frame, Lens

Array = NDArray[np.float64]
LENS = Lens(640, 360, (306.0, 306.0), (319.5, 183.0), (0.33, -2.49, -0.0002, -0.0001, 1.45, 0.21, -2.30, 1.37))
GRID = rays(LENS, np.stack(np.meshgrid(np.arange(640.0), np.arange(360.0)), axis=-1))


def standing(
    seed: int, height_m: float = 1.1, pitch_deg: float = 12.0, roll_deg: float = 1.0, floor: bool = True
) -> Placement:
    """What is measured by a camera at that height, looking down by `pitch_deg`, in a room with a wall and a bed.

    Noise: 4 mm + 0.2 % of each pixel's depth, every tenth pixel unknown, reflections below the floor; 0.1 degrees of
    gravity.
    """
    random = np.random.default_rng(seed)
    tilt = Rotation.from_euler("xz", [pitch_deg, roll_deg], degrees=True).as_matrix()
    straight = np.concatenate([GRID, np.ones((360, 640, 1))], axis=-1) @ tilt  # in level axes: y down, z ahead
    with np.errstate(divide="ignore", invalid="ignore"):
        to_floor = np.where(straight[..., 1] > 0, height_m / straight[..., 1], np.inf)
        to_wall = np.where(straight[..., 2] > 0, 4.0 / straight[..., 2], np.inf)
        to_bed = np.where(straight[..., 1] > 0, (height_m - 0.5) / straight[..., 1], np.inf)
    at_bed = straight * to_bed[..., None]
    on_bed = (np.abs(at_bed[..., 2] - 2.5) < 0.6) & (at_bed[..., 0] < 0.3)
    away = np.minimum(to_wall, np.where(on_bed, to_bed, np.inf))
    away = np.minimum(away, to_floor) if floor else away
    frames = []
    for index in range(5):
        millimetres = 1000 * away * (1 + 0.002 * random.standard_normal(away.shape))
        millimetres += 4 * random.standard_normal(away.shape)
        millimetres[random.random(away.shape) < 0.1] = 0
        millimetres[340:344, 300:330] *= 1.4
        depth = np.nan_to_num(millimetres, posinf=0).clip(0, 6000).astype(np.uint16)
        up = tilt @ [0.0, -1.0, 0.0] + np.radians(0.1) * random.standard_normal(3)
        frames.append(Frame(index, index, index, None, depth, lens=LENS, up=up / np.linalg.norm(up)))
    placement = measure_placement(frames)
    assert placement is not None
    return placement


def test_the_floor_is_measured_not_the_bed_or_a_reflection() -> None:
    found = standing(1)
    assert found.floor is not None
    assert found.floor.height_m == pytest.approx(1.1, abs=0.01)
    level = Rotation.from_euler("xz", [12.0, 1.0], degrees=True).as_matrix() @ [0.0, -1.0, 0.0]
    assert found.floor.normal @ level > np.cos(np.radians(0.3))
    assert found.up @ level > np.cos(np.radians(0.2))


def test_a_camera_left_alone_is_not_reported() -> None:
    before = standing(1)
    for seed in range(2, 6):
        moved = compare(before, standing(seed))
        assert not moved.noticed
        assert moved.rise_m == pytest.approx(0, abs=0.01)


def test_a_tilted_camera_is_noticed_and_by_how_much() -> None:
    moved = compare(standing(1), standing(2, pitch_deg=13.0, roll_deg=3.0))
    assert moved.noticed
    assert moved.tilt_deg == pytest.approx(np.hypot(1.0, 2.0), abs=0.25)
    assert moved.floor_tilt_deg == pytest.approx(np.hypot(1.0, 2.0), abs=0.5)
    assert moved.rise_m == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("rise_m", [0.06, -0.06])
def test_a_lifted_or_lowered_camera_is_noticed_by_the_floor_alone(rise_m: float) -> None:
    moved = compare(standing(1), standing(2, height_m=1.1 + rise_m))
    assert moved.noticed
    assert moved.tilt_deg < 0.5
    assert moved.rise_m == pytest.approx(rise_m, abs=0.015)


def test_without_a_floor_in_view_gravity_still_tells() -> None:
    before = standing(1, pitch_deg=-25.0, floor=False)
    assert before.floor is None
    still = compare(before, standing(2, pitch_deg=-25.0, floor=False))
    tilted = compare(before, standing(2, pitch_deg=-27.0, floor=False))
    assert (still.noticed, still.floor_tilt_deg, still.rise_m) == (False, None, None)
    assert tilted.noticed


def test_a_ramp_or_a_bed_alone_is_not_taken_for_the_floor() -> None:
    """The camera's gravity says level, what it sees is 12 degrees off."""
    sloping = standing(1)
    level = Frame(0, 0, 0, None, np.full((360, 640), 2000, np.uint16), lens=LENS, up=np.array([0.0, -0.2, -0.98]))
    found = measure_placement([level])
    assert sloping.floor is not None
    assert found is not None
    assert found.floor is None


def test_a_camera_without_an_accelerometer_has_no_placement() -> None:
    assert measure_placement([Frame(0, 0, 0, None, np.full((360, 640), 2000, np.uint16), lens=LENS)]) is None
