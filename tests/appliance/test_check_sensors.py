"""`rehabbox check-sensors`, on sensors of another distribution that are worn by someone who follows its prompts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORN = '''
import time
import numpy as np
from pydantic import BaseModel
from hal.exchange import GUIDE
from hal.types import SEGMENTS, Counters, DeviceInfo, ImuSample

moving = frozenset()

class Patient:
    """Does what a cue asks for, from the cue that says so to the next."""
    class Options(BaseModel):
        obeys: bool = True
    info = DeviceInfo("worn", "a patient", 0.0)
    def __init__(self, options): self.obeys = options.obeys
    def open(self): ...
    def close(self): ...
    def show(self, cue):
        global moving
        asked = [step.moves for step in GUIDE if step.name == cue.detail.get("step")]
        moving = asked[0] if self.obeys and cue.kind == "recording" else frozenset()

class Sensors:
    """Each says the segment it was made for, wherever it is worn."""
    class Options(BaseModel):
        exchanged: list[str] = []
        flat: list[str] = []
    info, counters = DeviceInfo("worn", "worn sensors", 50.0), Counters()
    def __init__(self, options):
        self.silent = tuple(options.flat)
        first, second = options.exchanged or ("", "")
        self.place = {first: second, second: first}
    def open(self): ...
    def close(self): ...
    def read(self, timeout_s):
        time.sleep(0.02)
        now = time.monotonic_ns()
        return [
            ImuSample(name, 0, now, now, np.zeros(3), np.array([float(self.place.get(name, name) in moving), 0, 0]))
            for name in SEGMENTS if name not in self.silent
        ]
'''
SETTINGS = """
[broker]
host = "localhost"
site = "s"
box = "b"
ca = "ca"
certificate = "certificate"
key = "key"
[camera]
driver = "synthetic"
"""


@pytest.fixture
def check(tmp_path: Path):
    """A function that runs the command with lines for the settings: exit status, and what it printed."""
    info = tmp_path / "worn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: worn\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rehabbox.drivers]\nimu.worn = worn:Sensors\nindicator.worn = worn:Patient\n"
    )
    (tmp_path / "worn.py").write_text(WORN)
    settings = tmp_path / "settings.toml"

    def run(*options: str, imu: str = "", indicator: str = "", box: str = "worn") -> subprocess.CompletedProcess[str]:
        tables = f'[imu]\ndriver = "worn"\n{imu}\n[indicator]\ndriver = "{box}"\n{indicator}\n'
        settings.write_text(SETTINGS + tables)
        return subprocess.run(
            [sys.executable, "-m", "appliance", "check-sensors", "--settings", settings, "--step", "0.5", *options],
            capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(tmp_path)},
        )  # fmt: skip

    return run


def test_sensors_on_their_own_places_pass_and_each_step_is_prompted(check):
    done = check("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"right": True, "exchanged": [], "reason": None}
    assert done.stderr.count(": now ") == 6
    assert "3 of 6: now lift your left knee" in done.stderr


def test_two_exchanged_sensors_are_named(check):
    done = check(imu='exchanged = ["right_hand", "left_thigh"]')
    assert done.returncode == 1, done.stderr
    assert "Exchanged: left_thigh and right_hand." in done.stdout


def test_who_does_not_move_is_told_that_nothing_can_be_said(check):
    done = check("--json", indicator="obeys = false")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["right"], answer["exchanged"]) == (False, [])
    assert "nothing moved enough when asked to raise your left arm" in answer["reason"]


def test_its_cues_are_right_for_the_indicator_that_refuses_wrong_ones_and_leave_the_virtual_patient_alone(check):
    done = check("--json", box="combined", indicator='parts = [{ driver = "mock" }, { driver = "synthetic" }]')
    assert done.returncode == 1, done.stderr
    assert "nothing moved enough" in json.loads(done.stdout)["reason"]
    assert len(done.stderr.splitlines()) == 1 + 2 * 6, "the prompts, and nothing else"


def test_silent_sensors_are_named_before_anybody_has_to_move(check):
    done = check(imu='flat = ["left_foot", "head"]')
    assert (done.returncode, done.stderr) == (1, "")
    assert "Cannot tell: 15 of 17 sensors were heard; silent: left_foot, head." in done.stdout


def test_a_box_without_sensors_says_so(tmp_path):
    (tmp_path / "settings.toml").write_text(SETTINGS)
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "check-sensors", "--settings", tmp_path / "settings.toml"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "[imu]" in done.stderr
