"""The box as it is shipped: the package in a Debian root, booted. `tools/image --test` runs these; each boots anew."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from appliance.demo.instructor import record_reference
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.throwaway import ThrowawayBroker
from tests.image.machine import Machine
from tests.image.variants import repacked
from tests.integration.conftest import BOX, SITE, Hospital

TEMPO = 4.0


@pytest.fixture(scope="session")
def image() -> Path:
    """What `tools/image` made."""
    folder = os.environ.get("REHABBOX_IMAGE")
    if not folder:
        pytest.skip("boots the test image: run tools/image --test")
    if os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        pytest.skip("boots the test image: needs root and systemd-nspawn")
    return Path(folder)


@pytest.fixture
def bare(image: Path, tmp_path: Path) -> Iterator[Machine]:
    """The image as it is, not booted."""
    machine = Machine(image, tmp_path / "machine")
    try:
        yield machine
    finally:
        print(machine.journal("-u", "rehabbox*") if machine.running else "the machine does not run")
        machine.kill()


@dataclass
class Installed:
    """A box whose hospital laid key and settings onto it; not booted yet."""

    machine: Machine
    broker: ThrowawayBroker
    references: Path

    def settings(self, **tables: dict[str, Any] | None) -> None:
        """A virtual patient before synthetic devices, unless tables say otherwise; None leaves one out."""
        broker = self.broker.settings_for(BOX)
        machine = self.machine
        machine.write("/etc/rehabbox/ca.pem", broker.ca.read_bytes())
        machine.write("/etc/rehabbox/box.pem", broker.certificate.read_bytes())
        machine.write("/etc/credstore/rehabbox.key", broker.key.read_bytes(), 0o600)
        machine.disk("/etc/credstore").chmod(0o700)
        settings: dict[str, dict[str, Any] | None] = {
            "broker": {
                "host": broker.host,
                "port": broker.port,
                "site": SITE,
                "box": BOX,
                "ca": "/etc/rehabbox/ca.pem",
                "certificate": "/etc/rehabbox/box.pem",
                "key": "$CREDENTIALS_DIRECTORY/rehabbox.key",
            },
            "camera": {"driver": "synthetic"},
            "pose": {"driver": "device"},
            "imu": {"driver": "synthetic"},
            "indicator": {"driver": "synthetic", "tempo": TEMPO, "reaction_s": 0.1},
            "session": {"references": "/etc/rehabbox/references", "announce_s": 1.7, "settle_s": 1.0},
            "guidance": {"countdown_s": 0.0, "words_s": 0.0, "ask": False},
        } | tables
        text = "\n".join(
            f"[{table}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in keys.items())
            for table, keys in settings.items()
            if keys is not None
        )
        machine.write("/etc/rehabbox/settings.toml", text)

    def exercise(self, exercise: str, side: str, repetitions: int) -> dict[str, Any]:
        digest = record_reference(exercise, side, repetitions, TEMPO, self.references)
        for file in self.references.iterdir():
            self.machine.write(f"/etc/rehabbox/references/{file.name}", file.read_bytes())
        return {"id": exercise, "side": side, "repetitions": repetitions, "reference": digest, "paced": False}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value)


@pytest.fixture
def box(bare: Machine, broker: ThrowawayBroker, tmp_path: Path) -> Installed:
    references = tmp_path / "references"
    references.mkdir()
    installed = Installed(bare, broker, references)
    installed.settings()
    return installed


@contextmanager
def listening(broker: ThrowawayBroker) -> Iterator[Hospital]:
    """The hospital, as long as this broker runs."""
    settings = broker.settings_for("hospital")
    address = BrokerAddress(settings.host, settings.port, True, settings.ca, settings.certificate, settings.key)
    with HospitalClient(address, "test-hospital", (f"rehabbox/1/{SITE}/#",)) as client:
        yield Hospital(client)


@pytest.fixture
def hospital(broker: ThrowawayBroker) -> Iterator[Hospital]:
    with listening(broker) as heard:
        yield heard


@pytest.fixture(scope="session")
def newer(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same software as another version, whose shipped configuration changed in one place."""
    return repacked(image, tmp_path_factory.mktemp("newer"), "9.0.0")
