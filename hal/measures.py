"""What two hot paths cost on this machine, measured on input made here; `rehabbox bench devices` shows it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hal.camera.depth_mapping import DepthMapper
from hal.errors import DeviceNotFoundError
from hal.pose.lift import lift
from hal.registry import build_imu
from hal.warm_up import made_up_camera, made_up_room

SIMULATOR = Path(__file__).resolve().parent.parent / "tools" / "simulate"
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class LineCost:
    """share: of one core, for reading and decoding. expected: samples due in the time."""

    share: float
    received: int
    lost: int
    expected: int


def imu_line(sensors: int = 17, rate_hz: int = 96, seconds: float = 10.0) -> LineCost:
    """The Xbus driver on a pseudo-terminal, with the simulator as a process of its own at the other end.

    Raises `DeviceNotFoundError` where the simulator is not installed.
    """
    if not SIMULATOR.exists():
        raise DeviceNotFoundError(f"{SIMULATOR} is not here; measure in a checkout of the project")
    command = [sys.executable, str(SIMULATOR), "xbus", "--sensors", str(sensors), "--rate", str(rate_hz)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            imu = build_imu({"driver": "xbus", "port": simulator.stdout.readline().strip(), "rate_hz": rate_hz})
            imu.open()
            try:
                return _read_for(imu, sensors * rate_hz, seconds)
            finally:
                imu.close()
        finally:
            simulator.terminate()
            simulator.communicate()


def _read_for(imu: Any, per_second: int, seconds: float) -> LineCost:
    warm = time.monotonic() + 1.0
    while time.monotonic() < warm:
        imu.read(0.1)
    before = imu.counters.lost + imu.counters.dropped
    began, used = time.monotonic(), time.process_time()
    received = 0
    while time.monotonic() - began < seconds:
        received += len(imu.read(0.1))
    took = time.monotonic() - began
    lost = imu.counters.lost + imu.counters.dropped - before
    return LineCost((time.process_time() - used) / took, received, lost, round(per_second * took))


def depth_to_joints(frames: int = 100) -> float:
    """Milliseconds of processor time a frame, median: depth of a room with a person onto 720p, 33 landmarks lifted."""
    camera, room = made_up_camera(), made_up_room()
    color, mapper = camera.color, DepthMapper(camera)
    rng = np.random.default_rng(1)
    room += rng.integers(0, 8, room.shape, np.uint16)
    network = rng.uniform((-0.25, -0.8, -0.05), (0.25, 0.8, 0.05), (33, 3))
    pixels = network[:, :2] / 2.0 * 608.0 + (639.0, 367.0)
    all_seen = np.ones(33, np.bool_)
    times = []
    for _ in range(WARM_UP + frames):
        began = time.thread_time()
        lifted = lift(mapper.map(room), color, pixels, network, np.ones(33), all_seen)
        times.append((time.thread_time() - began) * 1e3)
    assert lifted.measured.sum() > 20, "most landmarks lie on the person"
    return float(np.median(times[WARM_UP:]))
