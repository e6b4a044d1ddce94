"""The whole box against its budgets: `rehabbox run` in its own process, on a film and sensors made here.

A real broker of its own, two cores, everything else as on a box. Limits are in `tests/budgets.toml`. It takes about
two minutes; another load on the machine makes every figure worse.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import numpy as np

from appliance.bench.film import write_film
from appliance.bench.rows import Row
from appliance.errors import BrokerError, RehabBoxError
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics, address_of
from appliance.pose import record_pose
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from hal.registry import build_camera, build_pose

BUDGETS = Path(__file__).resolve().parents[2] / "tests" / "budgets.toml"
CORES = 2
IDLE_S = 10.0
SETS = 20
RATE_HZ = 30
KEPT_S = 1.0
"""A camera's driver keeps so much for a box that is late."""
_PATIENCE_S = 600.0
_TOPICS = Topics("bench", "box")
_SCORING = re.compile(r"^(\S+ \S+) .* session \S+: scoring$", re.MULTILINE)


def run() -> list[Row]:
    """Raises `BrokerError`, `RehabBoxError` where the box does not do in time what is measured."""
    if not BUDGETS.exists():
        raise RehabBoxError(f"{BUDGETS} is not here; measure in a checkout of the project")
    limits = tomllib.loads(BUDGETS.read_text())
    with TemporaryDirectory(prefix="rehabbox-bench-") as name, ThrowawayBroker(Path(name, "broker"), "bench") as broker:
        measured = _Measured(Path(name), broker)
        return [Row(what, value, unit, limits[key]) for key, (what, value, unit) in measured.all().items()]


class _Measured:
    def __init__(self, folder: Path, broker: ThrowawayBroker) -> None:
        self._folder, self._broker = folder, broker
        self._log = folder / "box.log"
        (folder / "references").mkdir()
        self._exercise: dict[str, object] = {"id": "squat", "side": "both", "paced": False}

    def all(self) -> dict[str, tuple[str, float, str]]:
        """By key of the budgets: what, how much, of which unit."""
        frames = self._film("long", 3, RATE_HZ, 1.0)
        self._film("short", 1, 10, 2.0)
        found: dict[str, tuple[str, float, str]] = {}
        with self._box("long") as (process, ready_s), self._hospital() as hospital:
            found["ready_first_s"] = ("start to READY, nothing compiled yet", ready_s, "s")
            self._until_warm()
            self._prescribe(hospital, "long", 3)
            _heard(hospital, lambda kind, payload: kind == "result")
            found["memory_first_mb"] = ("memory at its highest, of that start too", _highest_mb(process), "MB")
            hospital.publish(_TOPICS.prescription, b"", retain=True)  # else the next box begins with it
        with self._box("long") as (process, ready_s), self._hospital() as hospital:
            found["ready_warm_s"] = ("start to READY", ready_s, "s")
            self._until_warm()
            used_s, began_s = _processor_s(process.pid), time.monotonic()
            time.sleep(IDLE_S)
            idle = (_processor_s(process.pid) - used_s) / (time.monotonic() - began_s)
            found["idle_cores"] = ("idle, connected", idle, "cores")
            found |= self._recorded(process, hospital, frames)
            found["memory_mb"] = ("memory at its highest, pose network loaded", _highest_mb(process), "MB")
            hospital.publish(_TOPICS.prescription, b"", retain=True)  # else the next box begins with it
        with self._box("short") as (_, _), self._hospital() as hospital:
            self._until_warm()
            late_ms = np.percentile([self._result_ms(hospital) for _ in range(SETS)], 95)
            found["result_p95_ms"] = (f"end of a set to its result at the broker, p95 of {SETS}", float(late_ms), "ms")
        return found

    def _recorded(
        self, process: subprocess.Popen[bytes], hospital: HospitalClient, frames: int
    ) -> dict[str, tuple[str, float, str]]:
        self._prescribe(hospital, "long", 3)
        _heard(hospital, lambda kind, payload: kind == "session" and payload["state"] == "recording")
        began_s, used_s = time.monotonic(), _processor_s(process.pid)
        _heard(hospital, lambda kind, payload: kind == "session" and payload["state"] == "scoring")
        took_s, used_s = time.monotonic() - began_s, _processor_s(process.pid) - used_s
        _heard(hospital, lambda kind, payload: kind == "result")
        late_s = took_s - frames / RATE_HZ
        files = (self._folder / "state-long" / "sessions").rglob("*.mcap")
        newest = max((file.stat() for file in files), key=lambda file: file.st_mtime)
        per_hour = newest.st_size / 2**20 / (frames / RATE_HZ) * 3600
        return {
            "recording_cores": ("recording, 30 frames/s and 17 sensors", used_s / took_s, "cores"),
            "frame_ms": ("a frame, all in all", 1000 * used_s / frames, "ms"),
            "lost_frames": ("frames lost at 30 a second", max(0.0, (late_s - KEPT_S) * RATE_HZ), "frames"),
            "disk_mb_an_hour": ("disk for recording", per_hour, "MB an hour"),
        }

    def _result_ms(self, hospital: HospitalClient) -> float:
        """From the moment the box calls the set over, in its log, to the result's arrival."""
        before = len(_SCORING.findall(self._log.read_text("utf-8", "replace")))
        self._prescribe(hospital, "short", 1)
        _heard(hospital, lambda kind, payload: kind == "result")
        arrived = datetime.now()  # noqa: DTZ005  as the log has it
        at = _SCORING.findall(self._log.read_text("utf-8", "replace"))[before]
        over = datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007
        return (arrived - over).total_seconds() * 1000

    def _film(self, name: str, repetitions: int, rate_hz: int, tempo: float) -> int:
        """Made, and what the network sees in it kept as the reference; its frames."""
        film = self._folder / f"{name}.mp4"
        frames = write_film(film, "squat", "both", repetitions, rate_hz, tempo)
        camera, pose = build_camera({"driver": "video", "file": str(film)}), build_pose({"driver": "mediapipe"})
        camera.open()
        pose.open()
        try:
            seen = record_pose(camera, pose).recording
        finally:
            camera.close()
            pose.close()
        assert seen is not None, "the network finds the drawn person"
        write_skeleton_csv(self._folder / "references" / f"{name}.csv.gz", seen)
        return frames

    @contextmanager
    def _box(self, film: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
        """The daemon, READY, and the seconds that took."""
        path = self._folder / "notify"
        settings = self._folder / "settings.toml"
        settings.write_text(self._settings(film))
        cores = sorted(os.sched_getaffinity(0))[:CORES]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REHABBOX_")}
        environment |= {"NOTIFY_SOCKET": str(path), "NUMBA_CACHE_DIR": str(self._folder / "cache")}
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, self._log.open("wb") as log:
            path.unlink(missing_ok=True)
            notified.bind(str(path))
            notified.settimeout(_PATIENCE_S)
            command = [sys.executable, "-m", "appliance", "run", "--settings", str(settings)]
            began_s = time.monotonic()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
            try:
                os.sched_setaffinity(process.pid, cores)
                if notified.recv(100) != b"READY=1":
                    raise RehabBoxError("the box said something else before READY")
                yield process, time.monotonic() - began_s
            except TimeoutError:
                raise RehabBoxError(f"the box is not ready after {_PATIENCE_S:g} s; {self._last_words}") from None
            finally:
                process.terminate()
                process.wait()

    @contextmanager
    def _hospital(self) -> Iterator[HospitalClient]:
        own = self._broker.settings_for("hospital")
        address = BrokerAddress(own.host, own.port, True, own.ca, own.certificate, own.key)
        with HospitalClient(address, "bench", ("rehabbox/1/bench/#",)) as hospital:
            yield hospital

    def _until_warm(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while "the scorer is ready" not in self._log.read_text("utf-8", "replace"):
            if time.monotonic() > deadline:
                raise RehabBoxError(f"the scorer is not ready after {_PATIENCE_S:g} s; {self._last_words}")
            time.sleep(0.1)
        time.sleep(1.0)

    @property
    def _last_words(self) -> str:
        return self._log.read_text("utf-8", "replace")[-500:]

    def _prescribe(self, hospital: HospitalClient, reference: str, repetitions: int) -> None:
        now = datetime.now(UTC)
        digest = digest_of(self._folder / "references" / f"{reference}.csv.gz")
        prescription = {
            "id": str(uuid4()), "issued": now.isoformat(), "expires": (now + timedelta(hours=1)).isoformat(),
            "subject": "bench", "affected_side": None,
            "exercises": [self._exercise | {"repetitions": repetitions, "reference": digest}],
        }  # fmt: skip
        hospital.publish(_TOPICS.prescription, json.dumps(prescription).encode(), retain=True)

    def _settings(self, film: str) -> str:
        broker = {key: str(value) if isinstance(value, Path) else value
                  for key, value in self._broker.settings_for("box") if value is not None}  # fmt: skip
        tables: dict[str, dict[str, object]] = {
            "broker": broker,
            "camera": {"driver": "video", "file": str(self._folder / f"{film}.mp4"), "realtime": film == "long"},
            "session": {"state": str(self._folder / f"state-{film}"),
                        "references": str(self._folder / "references"), "announce_s": 0.0, "settle_s": 1.0},
            "guidance": {"countdown_s": 0.0, "place": False, "words_s": 0.0, "ask": False},
        }  # fmt: skip
        if film == "long":
            tables["imu"] = {"driver": "synthetic"}
        return "\n".join(
            f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for table, keys in tables.items()
        )


def _heard(hospital: HospitalClient, wanted: Callable[[str, dict[str, object]], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        message = hospital.next(0.5)
        address = address_of(message.topic) if message is not None else None
        if message is None or address is None or not message.payload:
            continue
        if wanted(address.kind, json.loads(message.payload)):
            return
    raise BrokerError(f"the box did not say within {_PATIENCE_S:g} s what is measured")


def _processor_s(process: int) -> float:
    """All its threads' time so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _highest_mb(process: subprocess.Popen[bytes]) -> float:
    return _status_kb(process.pid, "VmHWM") / 1024


def _status_kb(process: int, name: str) -> int:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line)
    return int(lines[name].split()[0])
