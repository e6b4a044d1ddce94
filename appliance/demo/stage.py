"""Sets the demo's stage: throw-away broker, box, references, and a prescription sent as a hospital would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from appliance.demo.instructor import record_reference
from appliance.errors import BrokerError, NotScorableError
from appliance.exercises import exercise_by_id
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.settings import BrokerSettings
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.model import encode
from appliance.messages.prescription import PrescribedExercise, Prescription, Side
from appliance.messages.topics import Topics
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.scoring.options import options_for
from appliance.scoring.prepare import prepare_reference
from hal.registry import build_camera

SITE, BOX = "demo", "demo-box"
STOP_S = 15.0

PLAN: tuple[tuple[str, Side, int], ...] = (
    ("shoulder_abduction", "left", 3),
    ("squat", "both", 3),
    ("seated_knee_extension", "right", 3),
)
"""Exercise, side, repetitions."""
TEMPO = 1.8
"""Brisk, so that nobody waits: instructor and patient do a repetition in two to three seconds."""


@dataclass(frozen=True, slots=True)
class Film:
    """A real video instead of the virtual patient: of one exercise, with the reference it is compared with."""

    video: Path
    reference: Path
    exercise: str
    repetitions: int

    def check(self) -> None:
        """Raises `HalError` or `RehabBoxError` where video or reference cannot be used, before anything is started."""
        camera = build_camera({"driver": "video", "file": self.video})
        camera.open()
        camera.close()
        try:
            prepare_reference(read_recording(self.reference), options_for(exercise_by_id(self.exercise)))
        except NotScorableError as error:
            raise NotScorableError(f"{self.reference}: {error}") from None


def run_demo(film: Film | None, as_json: bool, timeout_s: float) -> int:
    """Returns the subscriber's exit status; leaves nothing running and nothing on disk.

    Raises `BrokerError`, or `RecordingError` where the film's reference cannot be read.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rehabbox-demo-")))
        references = folder / "references"
        references.mkdir()
        if film is not None:
            film.check()
        exercises = _film_exercises(film, references) if film else _planned_exercises(references)
        broker = stack.enter_context(ThrowawayBroker(folder / "broker", SITE))
        hospital = broker.settings_for("hospital")
        settings = folder / "settings.toml"
        settings.write_text(_settings(broker.settings_for(BOX), folder, references, film))
        listener = stack.enter_context(_process(_subscriber(hospital, len(exercises), as_json, timeout_s)))
        assert listener.stderr is not None
        if listener.stderr.readline().strip() != "listening":
            raise BrokerError("the demo's subscriber did not reach the demo's broker")
        log = folder / "box.log"
        box = stack.enter_context(_box(settings, log))
        _prescribe(hospital, exercises)
        status = listener.wait()
        if status != 0 or box.poll() is not None:
            sys.stderr.write(listener.stderr.read() + "the box's last words:\n" + _tail(log))
            return 1
    return 0


def _planned_exercises(references: Path) -> list[PrescribedExercise]:
    return [
        PrescribedExercise(
            id=exercise,
            side=side,
            repetitions=repetitions,
            reference=record_reference(exercise, side, repetitions, TEMPO, references),
        )
        for exercise, side, repetitions in PLAN
    ]


def _film_exercises(film: Film, references: Path) -> list[PrescribedExercise]:
    file = references / "reference.csv.gz"
    write_skeleton_csv(file, read_recording(film.reference))
    return [PrescribedExercise(id=film.exercise, repetitions=film.repetitions, reference=digest_of(file))]


def _settings(broker: BrokerSettings, folder: Path, references: Path, film: Film | None) -> str:
    """A settings file like any other."""
    tables: dict[str, Mapping[str, object]] = {
        "broker": {key: str(value) if isinstance(value, Path) else value for key, value in broker},
        "camera": {"driver": "video", "file": str(film.video.absolute())} if film else {"driver": "synthetic"},
        "pose": {"driver": "mediapipe" if film else "device"},
        "indicator": {"driver": "silent"} if film else {"driver": "synthetic", "tempo": TEMPO},
        "session": {
            "state": str(folder / "state"),
            "references": str(references),
            "announce_s": 0.5 if film else 2.5,
            "settle_s": 2.0,
        },
        "guidance": {"place": film is None, "countdown_s": 0.0, "words_s": 0.0, "ask": False},
    }
    if film is None:
        tables["imu"] = {"driver": "synthetic"}
    return "\n".join(
        f"[{table}]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in keys.items()) + "\n"
        for table, keys in tables.items()
    )


def _subscriber(hospital: BrokerSettings, wanted: int, as_json: bool, timeout_s: float) -> list[str]:
    command = [sys.executable, "-m", "appliance.demo.subscriber", f"mqtts://{hospital.host}:{hospital.port}"]
    command += ["--ca", str(hospital.ca), "--certificate", str(hospital.certificate), "--key", str(hospital.key)]
    return [*command, "--results", str(wanted), "--timeout-s", str(timeout_s), *(["--json"] if as_json else [])]


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Ended when the context is left, however that comes."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            _end(process)


@contextmanager
def _box(settings: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, as a box runs it; stopped by SIGTERM as systemd would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REHABBOX_BROKER__")}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "appliance", "run", "--settings", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        ) as box,
    ):
        try:
            yield box
        finally:
            _end(box)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _prescribe(hospital: BrokerSettings, exercises: list[PrescribedExercise]) -> None:
    """As the hospital does it: one retained message for today."""
    now = datetime.now(UTC)
    prescription = Prescription(
        id=uuid4(),
        issued=now,
        expires=now + timedelta(days=1),
        subject="demo-patient",
        affected_side=None,
        exercises=tuple(exercises),
    )
    address = BrokerAddress(hospital.host, hospital.port, True, hospital.ca, hospital.certificate, hospital.key)
    with HospitalClient(address, "demo-hospital") as client:
        client.publish(Topics(SITE, BOX).prescription, encode(prescription), retain=True)


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:]) + "\n"
