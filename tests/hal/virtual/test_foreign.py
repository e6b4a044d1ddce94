"""Foreign movements are a person's, too, and are not the sixteen; a shuffled one is all there, in another order."""

import numpy as np
import pytest

from hal.virtual import foreign
from hal.virtual.body import STANDARD_17, body_shape
from hal.virtual.foreign import any_movement, shuffled
from hal.virtual.movements import MOVEMENTS
from hal.virtual.patient import reference, stance
from hal.virtual.performance import INSTRUCTOR, perform_movement
from hal.virtual.posture import ANGLES, stand

NAMED = foreign.TRAINING | foreign.TESTS


def joints_of(movement):
    shape = body_shape(1.72)
    meant = perform_movement(
        movement, movement.sides[0], 1, 0.0, INSTRUCTOR, np.zeros((2, len(ANGLES))), np.random.default_rng(0)
    )
    return shape.place(stand(shape, meant.angles(np.linspace(0.0, meant.end_s, 60)), stance(shape, meant)), STANDARD_17)


def shown(positions):
    """(17, 3) where each joint is at the turning point, from where the pelvis was at rest."""
    return positions[len(positions) // 2] - positions[0, 0]


@pytest.mark.parametrize("name", NAMED)
def test_a_foreign_movement_moves_stays_above_the_floor_and_resembles_no_exercise(name):
    positions = joints_of(NAMED[name])
    assert np.ptp(positions, axis=0).max() > 0.2
    assert positions[..., 1].min() > 0.0
    ours = [
        shown(reference(exercise, side, 1)[1]) for exercise, movement in MOVEMENTS.items() for side in movement.sides
    ]
    assert min(np.linalg.norm(shown(positions) - other, axis=1).max() for other in ours) > 0.15


def test_any_movement_moves_and_stays_above_the_floor():
    rng = np.random.default_rng(0)
    for _ in range(60):
        movement = any_movement(rng)
        positions = joints_of(movement)
        assert np.ptp(positions, axis=0).max() > 0.1, movement
        assert positions[..., 1].min() > 0.0, movement


def test_shuffled_times_are_the_same_times_in_pieces():
    times = np.arange(0.0, 4.0, 0.1)
    mixed = shuffled(times, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(mixed), times)
    joints = np.count_nonzero(np.abs(np.abs(np.diff(mixed)) - 0.1) > 1e-9)
    assert 2 <= joints <= 11
