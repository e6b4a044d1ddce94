"""A small hospital on this machine: boxes with virtual patients, each the real daemon in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from appliance.board.board import Board, filters
from appliance.demo.instructor import record_reference
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics

SITE = "clinic"
TEMPO = 2.0
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Box:
    """name; subject and exercises (id, side): what is prescribed; known: whether its references are there.

    amplitude: share of their usual range that the patient goes through.
    """

    name: str
    subject: str
    exercises: tuple[tuple[str, str], ...]
    known: bool = True
    amplitude: float = 1.0


BOXES = (
    Box("ward-3-bed-1", "p-1042", (("shoulder_abduction", "left"), ("squat", "both")), amplitude=0.6),
    Box("ward-3-bed-2", "p-2210", (("seated_knee_extension", "right"),)),
    Box("home-0117", "p-3318", (("heel_raise", "both"),), known=False),
)
REPETITIONS = 3


class Hospital:
    """address: of the broker, for somebody of the hospital's. folder: what the boxes hold, a folder each."""

    def __init__(self, broker: ThrowawayBroker, folder: Path) -> None:
        settings = broker.settings_for("hospital")
        self.address = BrokerAddress(
            settings.host, settings.port, True, settings.ca, settings.certificate, settings.key
        )
        self.folder = folder
        self._broker = broker

    @contextmanager
    def box(self, box: Box) -> Iterator[None]:
        """Running within it, until its session is over and its results are out."""
        home = self.folder / box.name
        references = home / "references"
        references.mkdir(parents=True)
        digests = [record_reference(exercise, side, REPETITIONS, TEMPO, references) for exercise, side in box.exercises]
        if not box.known:
            for file in references.iterdir():
                file.unlink()
        settings = home / "settings.toml"
        settings.write_text(self._settings(box, home))
        command = [sys.executable, "-m", "appliance", "run", "--settings", str(settings)]
        with (home / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                self._prescribe(box, digests)
                yield
            finally:
                process.terminate()

    def board(self, enough: Any) -> Board:
        """What the broker says once it is enough. Raises `TimeoutError`."""
        board, deadline = Board(), monotonic() + PATIENCE_S
        with HospitalClient(self.address, f"board-{uuid4()}", filters(SITE)) as client:
            while not enough(board):
                if monotonic() > deadline:
                    raise TimeoutError(f"the boxes did not come to it within {PATIENCE_S:.0f} s")
                heard = client.next(0.2)
                if heard is not None:
                    board.hear(heard.topic, heard.payload)
        return board

    def _settings(self, box: Box, home: Path) -> str:
        tables: dict[str, dict[str, object]] = {
            "broker": {k: str(v) if isinstance(v, Path) else v for k, v in self._broker.settings_for(box.name)},
            "camera": {"driver": "synthetic"},
            "pose": {"driver": "device"},
            "imu": {"driver": "synthetic"},
            "indicator": {"driver": "synthetic", "tempo": TEMPO, "amplitude": box.amplitude},
            "session": {
                "state": str(home / "state"),
                "references": str(home / "references"),
                "announce_s": 3.0,
                "settle_s": 1.0,
            },
            "guidance": {"countdown_s": 0.0, "words_s": 0.0, "ask": False},
            "health": {"interval_s": 2.0},
        }
        lines = [
            f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for table, keys in tables.items()
        ]
        return "\n".join(lines)

    def _prescribe(self, box: Box, digests: list[str]) -> None:
        now = datetime.now(UTC)
        exercises = [
            {"id": exercise, "side": side, "repetitions": REPETITIONS, "reference": digest}
            for (exercise, side), digest in zip(box.exercises, digests, strict=True)
        ]
        prescription = {
            "id": str(uuid4()), "issued": now.isoformat(), "expires": (now + timedelta(hours=8)).isoformat(),
            "subject": box.subject, "affected_side": "left", "exercises": exercises,
        }  # fmt: skip
        with HospitalClient(self.address, f"prescribes-{uuid4()}") as client:
            client.publish(Topics(SITE, box.name).prescription, json.dumps(prescription).encode(), retain=True)
