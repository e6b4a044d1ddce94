"""A box that lives a day in less than an hour: a real broker, a line that breaks, `rehabbox run`, and its hospital."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from wrecking.clock import Clock
from wrecking.line import Line
from wrecking.log import Log
from wrecking.receiver import Receiver

from appliance.hospital.throwaway import ThrowawayBroker

SITE, BOX = "soak", "box"
RETENTION_MB = 24
OUTBOX_MB = 8
KEEP_S = 3600.0
"""Of the box's time, in which the broker's time stands still: a minute of its own takes about an hour of the box's."""
LOOKS, LOOK_S = 5, 0.15
_LIFE = timedelta(days=30)
_STOP_S = 60.0


class SoakError(Exception):
    """The box did not do in time what it was waited for."""


class DayBox:
    """A context manager. film: for the sets that go through the pose network."""

    def __init__(self, folder: Path, film: Path) -> None:
        self._folder, self.film = folder, film
        self.state, self.references = folder / "state", folder / "references"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.state.mkdir()
            self.references.mkdir()
            self.broker = stack.enter_context(ThrowawayBroker(self._folder / "broker", SITE, _LIFE))
            self.line = stack.enter_context(Line(("127.0.0.1", 0), self.broker.port))
            self.receiver = stack.enter_context(Receiver(self.broker.settings_for("hospital"), BOX, kept_s=3600))
            self.clock = Clock(self._folder)
            self.log = Log(self._folder / "box.log")
            settings = self._folder / "settings.toml"
            settings.write_text(self._settings())
            with self.log.file.open("wb") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "appliance", "run", "--settings", str(settings)],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env=os.environ | self._plug_ins() | self.clock.environment,
                )  # fmt: skip
            stack.callback(self._end)
            self._began_s = time.monotonic()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def age_s(self) -> float:
        """As the box sees it."""
        return time.monotonic() - self._began_s + self.clock.passed_s

    @property
    def last_words(self) -> str:
        return self.log.file.read_text("utf-8", "replace")[-3000:]

    def wait(self, until: Callable[[], bool], most_s: float, what: str) -> None:
        """Raises `SoakError` naming `what` where it takes longer, or the daemon is gone."""
        deadline = time.monotonic() + most_s
        while True:
            self.log.update()
            if until():
                return
            if self._process.poll() is not None:
                raise SoakError(f"{what}: the daemon stopped with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise SoakError(f"{what}: not within {most_s:g} s")
            time.sleep(0.1)

    def resources(self) -> dict[str, int]:
        """What the daemon holds: resident memory in kB, descriptors, threads; the least of a few looks, for a health
        message opens files and a new connection sockets, for a moment."""
        looks = []
        for _ in range(LOOKS):
            looks.append(self._look())
            time.sleep(LOOK_S)
        return {name: min(look[name] for look in looks) for name in looks[0]}

    def _look(self) -> dict[str, int]:
        process = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line)
        return {
            "memory_kb": int(status["VmRSS"].split()[0]),
            "descriptors": len(list((process / "fd").iterdir())),
            "threads": int(status["Threads"]),
        }

    def disk(self) -> int:
        """Bytes in the state folder. Session files since the last look get the box's time: the kernel's is ours."""
        total = 0
        for file in self.state.rglob("*"):
            try:
                stat = file.stat()
                total += stat.st_size
                if "sessions" in file.parts and stat.st_mtime <= time.time():
                    written_s = time.time() + self.clock.passed_s
                    os.utime(file, (written_s, written_s))
            except FileNotFoundError:
                continue
        return total

    def stop(self) -> int:
        """Ends the daemon as systemd would; its exit status."""
        self._process.terminate()
        return self._process.wait(_STOP_S)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def _plug_ins(self) -> dict[str, str]:
        """Installs the day's devices in a folder of their own; the environment in which the box finds them."""
        info = self._folder / "plug-in" / "day-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: day\nVersion: 1\n")
        kinds = {"camera": "DayCamera", "imu": "DaySensors", "pose": "DayPose", "indicator": "DayIndicator"}
        rows = [f"{kind}.day = day_devices:{name}" for kind, name in kinds.items()]
        (info / "entry_points.txt").write_text("[rehabbox.drivers]\n" + "\n".join(rows) + "\n")
        return {"PYTHONPATH": f"{info.parent}:{Path(__file__).parent}"}

    def _settings(self) -> str:
        own = self.broker.settings_for(BOX)
        tables: dict[str, dict[str, Any]] = {
            "broker": {"host": own.host, "port": self.line.port, "ca": str(own.ca), "key": str(own.key),
                       "certificate": str(own.certificate), "site": SITE, "box": BOX, "spread_s": 0.5},
            "camera": {"driver": "day", "film": str(self.film)}, "imu": {"driver": "day"}, "pose": {"driver": "day"},
            "indicator": {"driver": "day"},
            "session": {"state": str(self.state), "references": str(self.references), "announce_s": 0.0,
                        "settle_s": 1.5},
            "guidance": {"countdown_s": 0.0, "place": False, "words_s": 0.0, "ask": False},
            "retention": {"megabytes": RETENTION_MB},
            "outbox": {"limit_mb": OUTBOX_MB, "late_per_s": 200.0, "keep_s": KEEP_S},
            "health": {"interval_s": 0.5},
        }  # fmt: skip
        return "\n".join(
            f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
            for table, keys in tables.items()
        )
