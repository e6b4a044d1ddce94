"""What a camera and its tracker make of a body: noise, loss and lag of known size, and no joint they did not see."""

import numpy as np
import pytest

from hal.virtual.body import STANDARD_17
from hal.virtual.noise import drift, flicker, heavy_tailed, laplacian, trailing, white, windowed
from hal.virtual.occlusion import HIDDEN, occlude
from hal.virtual.tracking import TESTS, TRAINING

STILL = np.zeros((600, 17, 3))
EVERYTHING, NOTHING = np.ones(17, np.bool_), np.zeros(17, np.bool_)


def slow(shape, rng):
    return drift(shape, 0.4, rng)


@pytest.mark.parametrize("kind", [white, laplacian, heavy_tailed, flicker, slow])
def test_a_kind_of_noise_has_unit_variance_from_its_first_sample_on(kind):
    noise = kind((40, 4000), np.random.default_rng(0))
    np.testing.assert_allclose(noise.std(axis=1), 1.0, atol=0.2)
    assert abs(noise.mean()) < 0.05


def test_the_kinds_differ_in_tails_and_in_memory():
    rng = np.random.default_rng(0)
    far = [np.mean(np.abs(kind((1000, 100), rng)) > 4.0) for kind in (white, laplacian, heavy_tailed)]
    assert far[0] < 2e-4 < 1e-3 < far[1]
    assert far[2] > far[0]
    remembered = [np.mean((noise := kind((400, 500), rng))[5:] * noise[:-5]) for kind in (white, slow)]
    assert abs(remembered[0]) < 0.02 < 0.5 < remembered[1]


@pytest.mark.parametrize("smooth", [trailing, windowed])
def test_a_smoothing_tracker_lags_by_as_much_as_it_says(smooth):
    ramp = np.arange(90.0)[:, None]
    assert smooth(ramp, 0.1)[-1, 0] == pytest.approx(89.0 - 3.0, abs=0.6)
    np.testing.assert_array_equal(smooth(ramp, 0.0), ramp)
    np.testing.assert_allclose(smooth(np.full((5, 1), 7.0), 0.1), 7.0)


@pytest.mark.parametrize("tracker", (TRAINING | TESTS).values(), ids=(TRAINING | TESTS))
def test_a_watched_body_is_seen_within_centimetres_and_what_is_lost_is_said(tracker):
    rng = np.random.default_rng(0)
    off = []
    for _ in range(8):
        positions, confidence = tracker.see(STILL, "standing", EVERYTHING, rng)
        np.testing.assert_array_equal(np.isnan(positions).any(axis=2), confidence == 0.0)
        off.append(np.linalg.norm(positions, axis=2))
    assert 0.004 < np.nanmedian(off) < 0.05
    assert np.isnan(off).mean() < 0.1


def test_left_and_right_change_places_for_some_frames():
    apart = STILL.copy()
    apart[:, [STANDARD_17.index("left_wrist"), STANDARD_17.index("left_ankle")], 0] = 1.0
    rng = np.random.default_rng(0)
    wrong = [TESTS["jumping"].see(apart, "standing", EVERYTHING, rng)[0] for _ in range(8)]
    swapped = np.mean([(seen[:, STANDARD_17.index("right_wrist"), 0] > 0.5).mean() for seen in wrong])
    assert 0.0 < swapped < 0.2


@pytest.mark.parametrize("position", HIDDEN)
def test_what_is_hidden_goes_with_the_position_and_never_is_what_is_watched(position):
    rng = np.random.default_rng(0)
    hidden = set()
    for _ in range(40):
        positions, confidence = STILL[:60].copy(), np.ones((60, 17))
        occlude(positions, confidence, position, NOTHING, rng)
        hidden |= {STANDARD_17[joint] for joint in np.flatnonzero((confidence < 1.0).any(axis=0))}
        occlude(positions, watched := np.ones((60, 17)), position, EVERYTHING, rng)
        assert (watched == 1.0).all()
    assert hidden == {name for together in HIDDEN[position] for name in together}
