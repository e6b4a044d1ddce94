"""What IT sees: `doctor` tries every part for real, `watch` shows what the broker says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from hal.registry import DRIVERS

REHABBOX = [sys.executable, "-m", "appliance"]


def doctor(settings: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    done = subprocess.run(
        [*REHABBOX, "doctor", "--settings", str(settings), "--json"], capture_output=True, text=True, timeout=120
    )
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_a_healthy_box_passes_and_its_running_daemon_is_not_disturbed(ward: Any, hospital: Any) -> None:
    box = ward.start()
    hospital.wait(lambda heard: heard.of("status") != [])
    status, checks = doctor(ward.folder / "settings.toml")
    assert status == 0, checks
    assert set(checks) == {
        *("exercises", "camera", "pose", "imu", "indicator"),
        *("model", "clock", "disk", "references", "certificate", "broker"),
    }
    assert all(check["ok"] and not check["remedy"] for check in checks.values())
    assert "17 sensors" in checks["imu"]["detail"]
    assert box.stop() == 0
    hospital.wait(lambda heard: heard.of("status")[-1]["state"] == "stopped")
    assert [message["state"] for message in hospital.of("status")] == ["online", "stopped"]


def test_drivers_are_listed_with_what_each_can_do_and_a_broken_plug_in_with_why(ward: Any, tmp_path: Path) -> None:
    ward.start().close()
    command = [*REHABBOX, "doctor", "--settings", str(tmp_path / "settings.toml"), "--json"]
    plug_ins = tmp_path / "plug-ins" / "acme-1.dist-info"
    plug_ins.mkdir(parents=True)
    (plug_ins / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (plug_ins / "entry_points.txt").write_text("[rehabbox.drivers]\ncamera.acme = acme_camera:AcmeCamera\n")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(plug_ins.parent)}
    )
    assert done.returncode == 0, done.stdout
    drivers = {(driver["kind"], driver["name"]): driver for driver in json.loads(done.stdout)["drivers"]}
    assert set(drivers) == {(kind, name) for kind, table in DRIVERS.items() for name in table} | {("camera", "acme")}
    assert "body" in drivers["camera", "synthetic"]["capabilities"]
    assert "No module named 'acme_camera'" in drivers["camera", "acme"]["fault"]
    assert [name for name, driver in drivers.items() if driver["fault"]] == [("camera", "acme")]


def test_each_fault_is_found_and_comes_with_a_remedy(ward: Any) -> None:
    ward.start(camera={"driver": "video", "file": "gone.mp4"}).close()
    ward.broker.stop()
    status, checks = doctor(ward.folder / "settings.toml")
    assert status == 1
    faults = {name for name, check in checks.items() if not check["ok"]}
    assert faults == {"camera", "broker"}
    assert "gone.mp4" in checks["camera"]["detail"]
    assert all(checks[name]["remedy"] for name in faults)


def test_a_fault_of_a_plug_ins_own_is_one_finding_among_the_others(ward: Any, tmp_path: Path) -> None:
    ward.start().close()
    plug_ins = tmp_path / "plug-ins" / "acme-1.dist-info"
    plug_ins.mkdir(parents=True)
    (plug_ins / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (plug_ins / "entry_points.txt").write_text("[rehabbox.drivers]\ncamera.acme = acme_camera:AcmeCamera\n")
    (plug_ins.parent / "acme_camera.py").write_text(
        "from hal.camera.synthetic import SyntheticCamera\n"
        "class AcmeCamera(SyntheticCamera):\n"
        "    def open(self): raise RuntimeError('no\\nlicence')\n"
        "    def close(self): raise RuntimeError('never opened')\n"
    )
    done = subprocess.run(
        [*REHABBOX, "doctor", "--settings", str(tmp_path / "settings.toml")],
        capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(plug_ins.parent), "REHABBOX_CAMERA__DRIVER": "acme", "COLUMNS": "200"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert "the driver failed: RuntimeError: no licence" in done.stdout
    assert "Check the camera's plug and power, and [camera] in the settings." in done.stdout
    assert done.stdout.count("FAULT") == 1


def test_sensors_that_are_switched_off_are_a_fault_and_named(ward: Any) -> None:
    tool = Path(__file__).parents[2] / "tools" / "simulate"
    with subprocess.Popen([sys.executable, tool, "xbus", "--sensors", "15"], stdout=subprocess.PIPE, text=True) as line:
        try:
            assert line.stdout is not None
            port = line.stdout.readline().strip()
            ward.start(imu={"driver": "xbus", "port": port}).close()
            status, checks = doctor(ward.folder / "settings.toml")
        finally:
            line.kill()
    assert (status, checks["imu"]["ok"]) == (1, False)
    assert "15 of 17 sensors were heard; silent: left_foot, right_foot" in checks["imu"]["detail"]
    assert checks["imu"]["remedy"]


def test_watch_shows_boxes_and_results(ward: Any, hospital: Any) -> None:
    ward.start()
    hospital.wait(lambda heard: heard.of("status") != [])
    settings = ward.broker.settings_for("hospital")
    command = [*REHABBOX, "watch", f"mqtts://localhost:{settings.port}", "--seconds", "2"]
    command += ["--ca", str(settings.ca), "--certificate", str(settings.certificate), "--key", str(settings.key)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "box-1" in done.stdout
    assert "online" in done.stdout


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_watch_in_the_background_of_a_script_is_ended_by_a_signal(ward: Any, ending: signal.Signals) -> None:
    """A script's shell has its background commands ignore SIGINT."""
    settings = ward.broker.settings_for("hospital")
    command = [*REHABBOX, "watch", f"mqtts://localhost:{settings.port}", "--ca", str(settings.ca)]
    command += ["--certificate", str(settings.certificate), "--key", str(settings.key)]
    before = signal.signal(ending, signal.SIG_IGN)  # a child has it too
    try:
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(ending, before)
    with watching:
        deadline = monotonic() + 60
        while watching.poll() is None and monotonic() < deadline:  # until it has begun, it ignores them
            watching.send_signal(ending)
            sleep(0.2)
        watching.kill()
        assert watching.stderr is not None
        said = watching.stderr.read()
    assert (watching.returncode, said) == (0, b"")


def test_watch_names_a_broker_that_is_not_there() -> None:
    done = subprocess.run(
        [*REHABBOX, "watch", "mqtt://127.0.0.1:9", "--seconds", "1"], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "127.0.0.1:9" in done.stderr
