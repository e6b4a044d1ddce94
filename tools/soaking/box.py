"""A whole box for a while: a real broker, `rehabbox run` in its own process, and the hospital that hears it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from appliance.demo.instructor import record_reference
from appliance.hospital.client import BrokerAddress, HospitalClient
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.topics import Topics, address_of

SITE, BOX = "soak", "box"
HEALTH_S = 0.5
"""How often the box tells how it is: what is measured from outside is no finer."""
_EXERCISE, _SIDE = "shoulder_abduction", "left"
_TOPICS = Topics(SITE, BOX)
_STOP_S = 20.0


class SoakError(Exception):
    """The box did not do in time what it was waited for."""


class SoakedBox:
    """The box and its hospital; a context manager. Everything the box said last is an attribute.

    tempo: of the virtual patient, who wears the sensors and does every set.
    """

    def __init__(self, folder: Path, imu: dict[str, Any], tempo: float) -> None:
        self.imu: dict[str, Any] = {}
        """Health of the sensors."""
        self.session = ""
        """State of the session."""
        self.results: list[dict[str, Any]] = []
        self.statuses: list[str] = []
        """More than one `online` would be a box that was started again."""
        self._folder, self._imu, self._tempo = folder, imu, tempo
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            broker = stack.enter_context(ThrowawayBroker(self._folder / "broker", SITE))
            self._log = stack.enter_context((self._folder / "box.log").open("w+"))
            own = broker.settings_for("hospital")
            address = BrokerAddress(own.host, own.port, True, own.ca, own.certificate, own.key)
            self._hospital = stack.enter_context(HospitalClient(address, "hospital", (f"rehabbox/1/{SITE}/#",)))
            (self._folder / "references").mkdir()
            settings = self._folder / "settings.toml"
            settings.write_text(self._settings(dict(broker.settings_for(BOX))))
            self._process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "run", "--settings", str(settings)],
                stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            )  # fmt: skip
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def alive(self) -> bool:
        """Whether the daemon is the process that was started, and never went offline."""
        return self._process.poll() is None and self.statuses == ["online"]

    @property
    def log(self) -> str:
        return (self._folder / "box.log").read_text("utf-8", "replace")

    def prescribe(self, repetitions: int) -> None:
        """One set."""
        now = datetime.now(UTC)
        reference = record_reference(_EXERCISE, _SIDE, repetitions, self._tempo, self._folder / "references")
        exercise = {"id": _EXERCISE, "side": _SIDE, "repetitions": repetitions, "reference": reference, "paced": False}
        prescription = {
            "id": str(uuid4()), "issued": now.isoformat(), "expires": (now + timedelta(hours=1)).isoformat(),
            "subject": "soak", "affected_side": _SIDE, "exercises": [exercise],
        }  # fmt: skip
        self._hospital.publish(_TOPICS.prescription, json.dumps(prescription).encode(), retain=True)

    def listen(self, until: Callable[[], bool], most_s: float, what: str) -> None:
        """Hears the box until then. Raises `SoakError` naming `what` where it takes longer, or the daemon is gone."""
        deadline = time.monotonic() + most_s
        while not until():
            if time.monotonic() > deadline:
                raise SoakError(f"{what}: not within {most_s:g} s; the sensors: {self.imu}")
            if self._process.poll() is not None:
                raise SoakError(f"{what}: the daemon stopped with {self._process.returncode}")
            self.hear(0.1)

    def hear(self, timeout_s: float) -> None:
        """The next message, if one comes in time."""
        message = self._hospital.next(timeout_s)
        address = address_of(message.topic) if message is not None else None
        if message is None or address is None or not message.payload:
            return
        payload = json.loads(message.payload)
        if address.kind == "health":
            self.imu = payload["devices"]["imu"] | {"heard_s": time.monotonic()}
        elif address.kind == "session":
            self.session = payload["state"]
        elif address.kind == "result" and payload not in self.results:
            self.results.append(payload)
        elif address.kind == "status":
            self.statuses.append(payload["state"])

    def stop(self) -> int:
        """Ends the daemon as systemd would; its exit status."""
        self._process.terminate()
        return self._process.wait(_STOP_S)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _settings(self, broker: dict[str, Any]) -> str:
        tables: dict[str, dict[str, Any]] = {
            "broker": {key: str(value) if isinstance(value, Path) else value for key, value in broker.items()},
            "camera": {"driver": "synthetic"},
            "pose": {"driver": "device"},
            "imu": {key: value for key, value in self._imu.items() if not isinstance(value, dict)},
            "indicator": {"driver": "synthetic", "tempo": self._tempo, "reaction_s": 0.1},
            "session": {
                "state": str(self._folder / "state"), "references": str(self._folder / "references"),
                "announce_s": 1.7, "settle_s": 1.0,
            },
            "guidance": {"countdown_s": 0.0, "words_s": 0.0, "ask": False},
            "health": {"interval_s": HEALTH_S},
        }  # fmt: skip
        tables |= {f"imu.{key}": value for key, value in self._imu.items() if isinstance(value, dict)}
        return "\n".join(
            f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for table, keys in tables.items()
        )
