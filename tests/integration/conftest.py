"""A box as it really runs: the daemon in its own process, a real broker, and the hospital's view of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from appliance.demo.instructor import record_reference
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics, address_of

SITE, BOX = "demo", "box-1"
TOPICS = Topics(SITE, BOX)
TEMPO = 4.0


FLAKY = '''
from dataclasses import replace
from time import monotonic
from pydantic import BaseModel
from hal.camera.synthetic import SyntheticCamera
from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.synthetic import SyntheticImuSet
from hal.types import DeviceInfo

plugged_in_s = 0.0

class Foot:
    """The patient trips over the cameras' cables: cue, and for how many seconds they are out then."""
    capabilities = ()
    class Options(BaseModel):
        trips: dict[str, float]

    def __init__(self, options):
        self._trips = options.trips

    @property
    def info(self):
        return DeviceInfo("foot", "the patient's foot", 0.0)

    def open(self):
        pass

    def close(self):
        pass

    def show(self, cue):
        global plugged_in_s
        cue = " ".join(filter(None, (cue.kind, cue.hint, cue.exercise)))
        plugged_in_s = max(plugged_in_s, monotonic() + self._trips.get(cue, 0.0))

class Flaky:
    """Lost once, after so many reads; then so many openings find nothing."""
    reads = misses = 0

    @property
    def info(self):
        return replace(super().info, synthetic=False)

    def open(self):
        if self.reads > self._options.good_reads and self.misses < self._options.missing:
            self.misses += 1
            raise DeviceNotFoundError(f"the flaky {self.kind} is not there")
        super().open()

    def read(self, timeout_s):
        self.reads += 1
        if self.reads == self._options.good_reads + 1:
            raise DeviceLostError(f"the flaky {self.kind} stopped answering")
        return super().read(timeout_s)

class FlakyCamera(Flaky, SyntheticCamera):
    """A camera that fails for a while, and while its cable is out."""
    kind = "camera"
    class Options(SyntheticCamera.Options):
        good_reads: int = 1_000_000
        missing: int = 0

    @property
    def present(self):
        return monotonic() >= plugged_in_s

    def open(self):
        if not self.present:
            raise DeviceNotFoundError("the flaky camera is unplugged")
        super().open()

    def read(self, timeout_s):
        if not self.present:
            raise DeviceLostError("the flaky camera was unplugged")
        return super().read(timeout_s)

class FlakyImuSet(Flaky, SyntheticImuSet):
    """IMUs that fail for a while."""
    kind = "imu"
    class Options(SyntheticImuSet.Options):
        good_reads: int
        missing: int
'''


@dataclass
class Hospital:
    """Everything the hospital heard, in order."""

    client: HospitalClient
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def wait(self, enough: Callable[[Hospital], bool], timeout_s: float = 120.0) -> None:
        deadline = monotonic() + timeout_s
        while not enough(self):
            assert monotonic() < deadline, f"not within {timeout_s} s; heard {[topic for topic, _ in self.heard]}"
            message = self.client.next(0.2)
            if message is not None and message.payload:
                with suppress(RecursionError):  # what a test sends to do harm comes back here, too
                    self.heard.append((message.topic, json.loads(message.payload)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The payloads on topics of that kind, each id or state once."""
        seen: dict[str, dict[str, Any]] = {}
        for topic, payload in self.heard:
            address = address_of(topic)
            if address is not None and address.kind == kind:
                seen[json.dumps(payload, sort_keys=True)] = payload
        return list(seen.values())

    def prescribe(self, exercises: list[dict[str, Any]], **changes: Any) -> str:
        now = datetime.now(UTC)
        prescription = {
            "id": str(uuid4()),
            "issued": now.isoformat(),
            "expires": (now + timedelta(hours=1)).isoformat(),
            "subject": "p-1",
            "affected_side": "left",
            "exercises": exercises,
        }
        self.client.publish(TOPICS.prescription, json.dumps(prescription | changes).encode(), retain=True)
        return str(prescription["id"])


class Box:
    """The daemon's process."""

    def __init__(self, settings: Path, environment: dict[str, str] | None = None) -> None:
        self._log = settings.with_suffix(".log").open("ab")
        self._log_file = settings.with_suffix(".log")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance", "run", "--settings", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=os.environ | (environment or {}),
        )

    @property
    def log(self) -> str:
        return self._log_file.read_text("utf-8", "replace")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()


@dataclass
class Ward:
    """Makes boxes' settings, references and processes in one folder."""

    folder: Path
    broker: ThrowawayBroker
    boxes: list[Box] = field(default_factory=list)

    def reference(self, exercise: str, side: str, repetitions: int) -> str:
        references = self.folder / "references"
        references.mkdir(exist_ok=True)
        return record_reference(exercise, side, repetitions, TEMPO, references)

    def exercise(self, exercise: str, side: str, repetitions: int) -> dict[str, Any]:
        digest = self.reference(exercise, side, repetitions)
        return {"id": exercise, "side": side, "repetitions": repetitions, "reference": digest, "paced": False}

    def session(self, **changes: Any) -> dict[str, Any]:
        """The table of settings; brisk, like the virtual patient."""
        return {
            "state": str(self.folder / "state"),
            "references": str(self.folder / "references"),
            "announce_s": 1.7,
            "settle_s": 1.0,
        } | changes

    def start(self, environment: dict[str, str] | None = None, **tables: dict[str, Any]) -> Box:
        """A box with the virtual patient, unless tables say otherwise."""
        broker = self.broker.settings_for(BOX)
        (self.folder / "references").mkdir(exist_ok=True)
        settings: dict[str, dict[str, Any]] = {
            "broker": {
                key: str(value) if isinstance(value, Path) else value for key, value in broker if value is not None
            },
            "camera": {"driver": "synthetic"},
            "pose": {"driver": "device"},
            "imu": {"driver": "synthetic"},
            "indicator": {"driver": "synthetic", "tempo": TEMPO, "reaction_s": 0.1},
            "session": self.session(),
            "guidance": {"place": False, "countdown_s": 0.0, "words_s": 0.0, "ask": False},
        } | tables
        file = self.folder / "settings.toml"
        file.write_text(
            "\n".join(
                f"[{table}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items())
                for table, keys in settings.items()
            )
        )
        box = Box(file, environment)
        self.boxes.append(box)
        return box


@pytest.fixture
def ward(tmp_path: Path, broker: ThrowawayBroker) -> Iterator[Ward]:
    ward = Ward(tmp_path, broker)
    try:
        yield ward
    finally:
        for box in ward.boxes:
            box.close()


@pytest.fixture
def hospital(broker: ThrowawayBroker) -> Iterator[Hospital]:
    settings = broker.settings_for("hospital")
    address = BrokerAddress(settings.host, settings.port, True, settings.ca, settings.certificate, settings.key)
    with HospitalClient(address, "test-hospital", (f"rehabbox/1/{SITE}/#",)) as client:
        yield Hospital(client)


@pytest.fixture
def plug_in(tmp_path: Path) -> dict[str, str]:
    """The environment in which the flaky drivers are installed."""
    folder = tmp_path / "plug-in"
    info = folder / "flaky-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flaky\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[rehabbox.drivers]\ncamera.flaky = flaky:FlakyCamera\nimu.flaky = flaky:FlakyImuSet\n"
        "indicator.foot = flaky:Foot\n"
    )
    (folder / "flaky.py").write_text(FLAKY)
    return {"PYTHONPATH": str(folder)}
