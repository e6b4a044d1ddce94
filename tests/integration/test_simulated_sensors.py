"""A session with sensors that misbehave on a real line: the box tells of it, and its work goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "simulate"
SOAK = Path(__file__).parents[2] / "tools" / "soaking"
RATE_HZ = 50
Simulate = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def simulate() -> Iterator[Simulate]:
    """A function that starts an Xbus Master with two sensors at a port, with the given faults."""
    with ExitStack() as stack:

        def start(port: Path, *faults: str) -> subprocess.Popen[str]:
            options = [part for fault in faults for part in ("--fault", fault)]
            command = [sys.executable, TOOL, "xbus", "--sensors", "2", "--rate", str(RATE_HZ), "--pty-link", port]
            tool = stack.enter_context(subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True))
            stack.callback(tool.kill)
            assert tool.stdout is not None
            assert tool.stdout.readline().strip() == str(port)
            return tool

        yield start


def test_sensors_that_spoil_messages_and_hang_up_do_not_keep_a_session_from_its_score(
    ward: Any, hospital: Any, simulate: Simulate, tmp_path: Path
) -> None:
    """The faults count from the sensors' first data, which begins with the recording of the exercise."""
    port = tmp_path / "port"
    tool = simulate(port, "bad-checksum:0.3,0.6", "hang-up:1.5,0.5")
    box = ward.start(
        {"REHABBOX_IMU__SENSORS": '{1 = "left_arm", 2 = "right_arm"}'},
        imu={"driver": "xbus", "port": str(port), "rate_hz": RATE_HZ},
        health={"interval_s": 1.0},
    )
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 3)])
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    hospital.wait(lambda heard: any(health["devices"]["imu"]["state"] == "idle" for health in heard.of("health")[-1:]))
    assert box.stop() == 0, box.log
    tool.send_signal(signal.SIGINT)
    injected = json.loads(tool.communicate(timeout=120)[0])

    (result,) = hospital.of("result")
    assert result["status"] == "scored", box.log
    assert [repetition["complete"] for repetition in result["repetitions"]] == [True] * 3
    (note,) = [note for note in result["score"]["notes"] if "imu" in note]
    assert note.startswith("imu interrupted 1 x, "), note

    sensors = [health["devices"]["imu"] for health in hospital.of("health")]
    assert any(imu["state"] == "recovering" and "hung up" in imu["error"] for imu in sensors)
    assert any(imu["rate_hz"] == pytest.approx(RATE_HZ, rel=0.1) for imu in sensors)
    last = sensors[-1]
    assert last["interruptions"] == injected["hang_ups"] == 1
    assert last["away_s"] >= 0.5
    # Inside a spoiled message a byte may look like the beginning of another, so the count is not exact.
    assert injected["bad_checksums"] > 0
    assert last["counters"]["bad_checksums"] == pytest.approx(injected["bad_checksums"], rel=0.1)
    assert last["lost"] >= last["counters"]["lost"] == injected["bad_checksums"]
    assert last["received"] > 2 * RATE_HZ
    assert [message["state"] for message in hospital.of("status")] == ["online"]
    assert "Traceback" not in box.log


@pytest.mark.parametrize(("device", "fault"), [("xbus", "silence:1.4"), ("bvh", "hang-up:0.5")])
def test_a_soaked_box_counts_what_was_injected_and_never_stops(device: str, fault: str) -> None:
    """The short form of `tools/soak`."""
    options = ["--device", device, "--minutes", "0", "--sensors", "2", "--rate", str(RATE_HZ), "--fault", fault]
    command = [sys.executable, SOAK, *options, "--tempo", "5", "--repetitions", "6"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    trial, whole = map(json.loads, run.stdout.splitlines())
    assert (trial["fault"], trial["counted"]) == (fault, {"interruptions": 1})
    assert trial["daemon_alive"]
    assert trial["back_s"] <= 5
    assert (whole["sets"], whole["daemon_exit"]) == (1, 0)
