"""The smoother is the regression of an Ornstein-Uhlenbeck process; how large that is, is told of the time around."""

import numpy as np

from appliance.fusion.residual import size_around, smooth


def test_mean_and_variance_are_those_of_the_full_regression():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.08, 60))
    noise = rng.uniform(1e-4, 4e-4, (60, 2))
    noise[20:45, 0] = np.inf
    spread = np.array([0.05, 0.02])
    seen = rng.standard_normal((60, 2, 3)) * 0.04
    seen[20:45, 0] = np.nan
    smoothed = smooth(times, seen, noise, spread, memory_s=0.7)
    for series in range(2):
        known = np.isfinite(noise[:, series])
        prior = spread[series] ** 2 * np.exp(-np.abs(np.subtract.outer(times, times)) / 0.7)
        gain = prior[:, known] @ np.linalg.inv(prior[np.ix_(known, known)] + np.diag(noise[known, series]))
        np.testing.assert_allclose(smoothed.mean[:, series], gain @ seen[known, series], atol=1e-10)
        variance = np.diag(prior - gain @ prior[known])
        np.testing.assert_allclose(smoothed.variance[:, series], variance, atol=1e-12)


def test_the_size_before_or_after_counts_whichever_is_more_and_the_unseen_does_not():
    times = np.arange(600) / 30.0
    seen = np.zeros((600, 1, 3))
    seen[300:] = 0.2
    known = np.ones((600, 1), bool)
    seen[250:350], known[250:350] = np.nan, False
    size = size_around(times, seen, known)[:, 0]
    np.testing.assert_allclose(size[[260, 340, 599]], 0.2, atol=1e-3)
    assert size[30] < 0.05
    assert not size_around(times, seen, np.zeros_like(known)).any()
