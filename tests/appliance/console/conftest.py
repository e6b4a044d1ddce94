"""A console as the hospital runs it: its own process, a real broker, and a real Chromium before it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.free_port import free_port
from tests.appliance.console.running import TOKEN, Console


@pytest.fixture
def open_broker(tmp_path: Path) -> Iterator[int]:
    """The port of a real mosquitto on this machine that lets everybody be any box."""
    port = free_port()
    (tmp_path / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    path = os.environ["PATH"] + ":/usr/sbin"
    mosquitto = shutil.which("mosquitto", path=path)
    assert mosquitto is not None
    command = [mosquitto, "-c", str(tmp_path / "mosquitto.conf")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _until(lambda: socket.create_connection(("127.0.0.1", port), 1.0).close(), process)
            yield port
        finally:
            process.terminate()


@pytest.fixture
def rehabbox() -> list[str]:
    """The command."""
    return [sys.executable, "-m", "appliance"]


@pytest.fixture
def console(tmp_path: Path, open_broker: int, rehabbox: list[str]) -> Iterator[Console]:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(TOKEN + "\n")
    port = free_port()
    command = [*rehabbox, "fleet", "console", f"mqtt://127.0.0.1:{open_broker}"]
    command += ["--listen", f"127.0.0.1:{port}", "--token-file", str(token), "--user-header", "X-Remote-User"]
    command += ["--host", "console.hospital.example"]
    address = BrokerAddress("127.0.0.1", open_broker, tls=False)
    with (
        HospitalClient(address, "boxes") as hospital,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        try:
            running = Console(f"http://127.0.0.1:{port}", process, hospital)
            _until(lambda: running.get("/page/style.css"), process)
            yield running
        finally:
            process.terminate()
            said, _ = process.communicate(timeout=60)
        assert "Traceback" not in said, said


def _until(answers: Callable[[], object], process: subprocess.Popen[Any]) -> None:
    deadline = monotonic() + 60
    while True:
        try:
            answers()
        except OSError:  # not yet
            assert process.poll() is None
            assert monotonic() < deadline
            sleep(0.05)
        else:
            return


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Chromium without a screen, whose requests are logged."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--window-size=1300,900",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    running = Chrome(options=options, service=ChromeService(driver))
    try:
        yield running
    finally:
        running.quit()


@pytest.fixture
def browser(chromium: Chrome) -> Iterator[Chrome]:
    """As if just started: wide and light, nobody signed in, nothing logged."""
    light = {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", light)
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    for log in ("performance", "browser"):
        chromium.get_log(log)
    yield chromium
    chromium.delete_all_cookies()
    chromium.get("about:blank")
