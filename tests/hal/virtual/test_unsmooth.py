"""The course of a way: who is smooth follows minimum jerk, who is not sets out late, halts, and drops back."""

import numpy as np
import pytest

from hal.virtual.performance import minimum_jerk
from hal.virtual.unsmooth import course, tremor

SHARE = np.linspace(0.0, 1.0, 201)
STILL = np.zeros_like(SHARE)
FIRST = np.zeros(len(SHARE), np.intp)


def way_out(severity, seed=0):
    return course(np.array([severity]), np.random.default_rng(seed)).progress(SHARE, STILL, FIRST)


def way_back(severity, seed=0):
    return course(np.array([severity]), np.random.default_rng(seed)).progress(STILL + 1.0, SHARE, FIRST)


def test_without_severity_a_way_is_minimum_jerk():
    np.testing.assert_allclose(way_out(0.0), minimum_jerk(SHARE), atol=1e-12)
    np.testing.assert_allclose(way_back(0.0), 1.0 - minimum_jerk(SHARE), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("severity", [0.2, 0.6, 1.1])
def test_every_way_goes_from_one_end_to_the_other(severity, seed):
    out, back = way_out(severity, seed), way_back(severity, seed)
    np.testing.assert_allclose([out[0], out[-1], back[0], back[-1]], [0.0, 1.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_more_severe_the_later_it_sets_out_and_the_more_it_halts(seed):
    late = [np.argmax(way_out(severity, seed) > 0.0) for severity in (0.0, 0.3, 0.6, 1.0)]
    assert (np.diff(late) > 5).all()
    backwards = [-np.minimum(np.diff(way_out(severity, seed)), 0.0).sum() for severity in (0.0, 0.5)]
    assert backwards == [0.0, 0.0]
    slowest = [np.diff(way_out(severity, seed))[110:170].min() for severity in (0.0, 1.0)]
    assert slowest[1] < slowest[0]


def test_tremor_is_in_the_band_and_as_large_as_severe():
    times = np.arange(0.0, 60.0, 0.01)
    active, first = np.ones_like(times), np.zeros(len(times), np.intp)
    slight, gross = (
        tremor(np.array([[severity]]), np.random.default_rng(1)).at(times, active, first) for severity in (0.25, 1.0)
    )
    np.testing.assert_allclose(gross, 4.0 * slight)
    assert 4.0 < np.abs(gross).max() < 6.0
    spectrum = np.abs(np.fft.rfft(gross[:, 0])) ** 2
    hz = np.fft.rfftfreq(len(times), 0.01)
    assert spectrum[(hz > 2.3) & (hz < 7.2)].sum() > 0.98 * spectrum.sum()
