"""FineRehab's equation (1) does what it says, and loses what it is known to lose."""

from __future__ import annotations

import numpy as np

from appliance.sync.equal_stamps import equal_stamps


def test_ideal_clocks_of_30_and_96_hz_share_six_instants_a_second() -> None:
    first, second = equal_stamps(5.0 + np.arange(300) / 30, 70.0 + np.arange(960) / 96)
    assert len(first) == 60
    np.testing.assert_allclose(first / 30, second / 96, atol=1e-9)


def test_jitter_leaves_about_one_frame_in_ten() -> None:
    rng = np.random.default_rng(0)
    camera = np.sort(np.arange(3000) / 30 + rng.normal(0, 0.002, 3000))
    sensor = np.sort(np.arange(9600) / 96 + rng.normal(0, 0.002, 9600))
    assert 0.05 < len(equal_stamps(camera, sensor)[0]) / 3000 < 0.15


def test_a_wrong_start_is_never_noticed() -> None:
    camera = np.arange(300) / 30
    assert len(equal_stamps(camera, camera[15:])[0]) == 285


def test_stamps_that_round_to_one_millisecond_count_once() -> None:
    first, second = equal_stamps(np.array([0.0, 0.0101, 0.0104]), np.array([1.0, 1.01]))
    assert (first.tolist(), second.tolist()) == ([0, 1], [0, 1])


def test_without_stamps_nothing_belongs_together() -> None:
    assert len(equal_stamps(np.zeros(0), np.arange(3.0))[0]) == 0
