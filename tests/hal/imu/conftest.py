"""`tools/simulate` as the other end of a real line."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hal.errors import HalError

_TOOL = Path(__file__).parents[3] / "tools" / "simulate"


class Simulated:
    """A running `tools/simulate`."""

    def __init__(self, *options: object) -> None:
        self._process = subprocess.Popen([sys.executable, _TOOL, *map(str, options)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()

    def finish(self) -> dict:
        """Asks it to stop, and gives what it sent and spoiled."""
        self._process.terminate()
        return self.report()

    def report(self) -> dict:
        """Waits for its end."""
        out, _ = self._process.communicate(timeout=120)
        return json.loads(out)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def simulate():
    """A function that starts `tools/simulate` with options."""
    running = []

    def start(*options):
        running.append(Simulated(*options))
        return running[-1]

    yield start
    for device in running:
        device.kill()


def collect(driver, seconds):
    """What a driver delivers in that time, or until its device is lost."""
    samples, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            samples += driver.read(left)
        except HalError:
            break
    return samples


@pytest.fixture(name="collect")
def _collect():
    return collect
