"""What the confined daemon sees of the machine's devices: its own, and no others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hal.button.evdev import DOWN, EV_KEY, EVENT
from tests.image.conftest import Installed
from tests.integration.conftest import Hospital

UNIT = "rehabbox.service"
SIMULATE = Path(__file__).parents[2] / "tools" / "simulate"
RATE_HZ = 50


@pytest.fixture
def port(tmp_path: Path) -> Iterator[str]:
    """The serial line of two simulated sensors."""
    link = tmp_path / "port"
    command = [sys.executable, SIMULATE, "xbus", "--sensors", "2", "--rate", str(RATE_HZ), "--pty-link", str(link)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None
        tool.stdout.readline()
        yield str(link.resolve())
        tool.send_signal(signal.SIGINT)


def test_a_serial_receiver_is_read_through_the_only_place_where_the_daemon_sees_ports(
    box: Installed, hospital: Hospital, port: str
) -> None:
    sensors = {"1": "left_arm", "2": "right_arm"}
    box.settings(
        imu={"driver": "xbus", "port": "/dev/rehabbox/ttyUSB0", "rate_hz": RATE_HZ, "sensors": sensors},
        health={"interval_s": 1.0},
    )
    exercise = box.exercise("shoulder_abduction", "left", 3)
    machine = box.machine
    machine.boot([f"--bind={port}:/dev/rehabbox/ttyUSB0"])
    machine.run("chown", "rehabbox", "/dev/rehabbox/ttyUSB0")  # udev's part on a real machine
    machine.run("systemctl", "restart", UNIT)
    machine.wait(UNIT)
    hospital.prescribe([exercise])
    hospital.wait(lambda heard: bool(heard.of("result")), timeout_s=180)
    (result,) = hospital.of("result")
    assert result["status"] == "scored"
    rates = [health["devices"]["imu"]["rate_hz"] for health in hospital.of("health")]
    assert any(rate == pytest.approx(RATE_HZ, rel=0.2) for rate in rates if rate is not None)


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A foot switch: a pipe in the place of the kernel's device file, with the same records; and its other end."""
    path = tmp_path / "event7"
    os.mkfifo(path, 0o600)
    kernel = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    yield str(path), kernel
    os.close(kernel)


def test_a_button_is_pressed_through_the_confinement_and_a_keyboard_cannot_be_opened(
    box: Installed, hospital: Hospital, switch: tuple[str, int], tmp_path: Path
) -> None:
    path, kernel = switch
    (tmp_path / "event8").write_text("a keyboard")
    (tmp_path / "event8").chmod(0o640)
    box.settings(button={"driver": "evdev", "device": "/dev/input/event7"})
    exercise = box.exercise("squat", "both", 3)
    machine = box.machine
    machine.boot([f"--bind={path}:/dev/input/event7", f"--bind={tmp_path}/event8:/dev/input/event8"])
    machine.run("chgrp", "rehabbox", "/dev/input/event7")  # udev's part on a real machine
    machine.run("chmod", "640", "/dev/input/event7")
    machine.run("systemctl", "restart", UNIT)
    machine.wait(UNIT)
    assert "char-input r" in machine.show(UNIT, "DeviceAllow")
    process = machine.show(UNIT, "MainPID")
    inside = ("nsenter", "--target", process, "--mount", "setpriv", "--reuid=rehabbox", "--regid=rehabbox")
    opened = machine.run(*inside, "--clear-groups", "cat", "/dev/input/event8", check=False)
    assert "a keyboard" not in opened
    hospital.prescribe([exercise])
    hospital.wait(lambda heard: any(one["state"] == "recording" for one in heard.of("session")), timeout_s=180)
    os.write(kernel, EVENT.pack(1764336000, 0, EV_KEY, 48, DOWN))
    hospital.wait(lambda heard: any(one["state"] == "abandoned" for one in heard.of("session")), timeout_s=180)
    assert {one["reason"] for one in hospital.of("session") if one["state"] == "abandoned"} == {"the patient stopped"}


def test_the_daemon_sees_usb_and_none_of_the_systems_other_devices(box: Installed) -> None:
    machine = box.machine
    machine.boot(["--bind=/dev/null:/dev/ttyS9", "--bind=/dev/null:/dev/bus/usb/001/001"])
    machine.wait(UNIT)
    process = machine.show(UNIT, "MainPID")
    seen = machine.run("ls", f"/proc/{process}/root/dev").split()
    assert {"bus", "rehabbox", "null", "urandom"} <= set(seen)
    assert "ttyS9" in machine.run("ls", "/dev").split()
    assert not {"ttyS9", "console", "fuse", "kmsg", "mem"} & set(seen)
    assert machine.run("ls", f"/proc/{process}/root/dev/bus/usb/001").split() == ["001"]
    status = machine.run("cat", f"/proc/{process}/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert machine.run("id", "-Gn", "rehabbox") == "rehabbox"


def test_the_cameras_library_asks_usb_under_the_same_confinement(box: Installed) -> None:
    """The doctor's unit is as confined as the daemon's. The library finds no camera, which it can only say of USB."""
    box.settings(camera={"driver": "kinect"}, pose={"driver": "mediapipe"}, imu=None)
    machine = box.machine
    box.exercise("squat", "both", 3)  # its reference
    machine.boot()
    machine.run("systemctl", "start", "rehabbox-doctor.service", check=False)
    checks = json.loads(machine.run("cat", "/run/rehabbox-doctor/report.json"))["checks"]
    found = {check["name"]: check for check in checks}
    assert not found["camera"]["ok"]
    assert "not found; connected: none" in found["camera"]["detail"]
    assert {name for name, check in found.items() if not check["ok"]} == {"camera"}
    assert found["pose"]["ok"], "the pose network compiles and runs"
    assert found["broker"]["ok"], "the doctor has the key"
