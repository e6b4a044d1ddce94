"""The box under test: `rehabbox run` in its own process, killed and started again on the same state."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clock import Clock
from lives import Lives
from log import Log

ROOT = Path(__file__).resolve().parents[2]


class StuckError(Exception):
    """The box did not do in time what it was waited for."""


class Box:
    """tables: of the settings file. prefix: before the command. environment: beside this process's."""

    def __init__(
        self, folder: Path, tables: dict[str, dict[str, Any]], prefix: Sequence[str], environment: dict[str, str]
    ) -> None:
        self.state = Path(tables["session"]["state"])
        self.settings, self.prefix, self.environment = folder / "settings.toml", prefix, environment
        self._tables = tables
        self.configure({})
        self.log = Log(folder / "box.log")
        self.log.file.touch()
        self.on_wait: Callable[[], object] = lambda: None
        """Called all the time while somebody waits."""
        self.clock = Clock(folder)
        self._lives = Lives(prefix, environment | self.clock.environment, self.settings, self.log.file)

    def configure(self, tables: dict[str, dict[str, Any]]) -> None:
        """These tables of its settings in place of its own, from the next start on."""
        self.settings.write_text(
            "\n".join(
                f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
                for table, keys in (self._tables | tables).items()
            )
        )

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
