"""What `rehabbox bench devices` measures is really done: samples come over the line, landmarks meet depth."""

from __future__ import annotations

import pytest

from hal import measures
from hal.errors import DeviceNotFoundError


def test_every_sample_of_the_simulated_sensors_is_read() -> None:
    line = measures.imu_line(sensors=3, rate_hz=50, seconds=1.0)
    assert line.lost == 0
    assert line.received == pytest.approx(line.expected, rel=0.2)
    assert 0 < line.share < 1


def test_a_missing_simulator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "SIMULATOR", measures.SIMULATOR.with_name("gone"))
    with pytest.raises(DeviceNotFoundError, match="gone"):
        measures.imu_line()


def test_a_frame_costs_some_time() -> None:
    assert 0 < measures.depth_to_joints(frames=3) < 1000
