"""The box under test: `rehabbox run` in its own process, killed and started again on the same state."""

from __future__ import annotations

import json
import re
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lives import Lives

ROOT = Path(__file__).resolve().parents[2]
_STORED = re.compile(rb"result (\d+) is on disk: ([0-9a-f-]{36})")
_OVER = re.compile(rb"cue: (done|abandoned) ")


class StuckError(Exception):
    """The box did not do in time what it was waited for."""


@dataclass
class Log:
    """What the box wrote, over all its lives; a line is with the kernel before the box goes on."""

    file: Path
    stored: dict[str, int] = field(default_factory=dict)
    """Sequence by id, of results that it noted as on disk."""
    announced: set[str] = field(default_factory=set)
    """Ids of those after which it told the patient that the exercise is over."""
    _read: int = 0
    _last: str | None = None

    def update(self) -> None:
        with self.file.open("rb") as stream:
            stream.seek(self._read)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                if (found := _STORED.search(line)) is not None:
                    self._last = found[2].decode()
                    self.stored[self._last] = int(found[1])
                elif _OVER.search(line) and self._last is not None:
                    self.announced.add(self._last)
                    self._last = None

    def born(self) -> None:
        """A new life: what it announces is its own."""
        self.update()
        self._last = None


class Box:
    """tables: of the settings file. prefix: before the command. environment: beside this process's."""

    def __init__(
        self, folder: Path, tables: dict[str, dict[str, Any]], prefix: Sequence[str], environment: dict[str, str]
    ) -> None:
        self.state = Path(tables["session"]["state"])
        self.settings, self.prefix, self.environment = folder / "settings.toml", prefix, environment
        self.settings.write_text(
            "\n".join(
                f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
                for table, keys in tables.items()
            )
        )
        self.log = Log(folder / "box.log")
        self.log.file.touch()
        self.on_wait: Callable[[], object] = lambda: None
        """Called all the time while somebody waits."""
        self._offset = folder / "clock"
        self._offset.write_bytes(bytes(8))
        library, source = folder / "clock.so", Path(__file__).with_name("clock.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
        clock = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self._offset)}
        self._lives = Lives(prefix, environment | clock, self.settings, self.log.file)

    def start(self) -> None:
        self.log.born()
        self._lives.start()

    @property
    def running(self) -> bool:
        return self._lives.running

    def kill(self) -> None:
        self._lives.end(signal.SIGKILL)
        self.log.update()

    def stop(self) -> int | None:
        """As systemd would; its exit status."""
        status = self._lives.end(signal.SIGTERM)
        self.log.update()
        return status

    def close(self) -> None:
        self._lives.close()

    def set_clock(self, offset_s: float) -> None:
        """Of its wall clock against the true one."""
        with self._offset.open("r+b") as stream:
            stream.write(struct.pack("q", int(offset_s * 1e9)))

    def wait(self, until: Callable[[], bool], most_s: float, what: str) -> None:
        """Raises `StuckError` naming `what`. A box that ended by itself is started again, as systemd would."""
        deadline = time.monotonic() + most_s
        while not until():
            if time.monotonic() > deadline:
                raise StuckError(f"{what}: not within {most_s:g} s")
            if not self.running:
                time.sleep(0.5)
                self.start()
            self.pause(0.02)

    def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            self.log.update()
            self.on_wait()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))
