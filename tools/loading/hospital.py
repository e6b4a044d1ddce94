"""The hospital beside the load: the example consumer in processes of its own, and what its database holds."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from appliance.hospital.settings import BrokerSettings

_CONSUMER = Path(__file__).parents[1] / "consumer"
_START_S = 30.0


class Hospital:
    """A context manager; within it the consumers run, if any. Raises `RuntimeError` where one does not start."""

    def __init__(self, settings: BrokerSettings, folder: Path, consumers: int) -> None:
        self._settings, self._folder, self._count = settings, folder, consumers
        self._store = folder / "results.db"
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for number in range(self._count):
            self._start(f"consumer-{number + 1}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def stored(self) -> int:
        return int(self._rows("SELECT count(*) FROM result")[0][0]) if self._count else 0

    def received(self) -> dict[str, datetime]:
        """When each result came to its consumer, by id."""
        found = self._rows("SELECT id, received FROM result") if self._count else []
        return {name: datetime.fromisoformat(at) for name, at in found}

    def set_aside(self) -> list[str]:
        return [reason for (reason,) in self._rows("SELECT reason FROM set_aside")] if self._count else []

    def _rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True, timeout=30.0)) as db:
            return db.execute(query).fetchall()

    def _start(self, name: str) -> None:
        log = self._folder / f"{name}.log"
        one = self._settings
        with log.open("wb") as stderr:
            self._running.append(
                subprocess.Popen(
                    [sys.executable, _CONSUMER, "--broker", f"{one.host}:{one.port}", "--ca", one.ca, "--key", one.key,
                     "--certificate", one.certificate, "--store", self._store, "--name", name],
                    stderr=stderr,
                )
            )  # fmt: skip
        deadline = monotonic() + _START_S
        while b"results are received" not in log.read_bytes():
            if monotonic() > deadline or self._running[-1].poll() is not None:
                raise RuntimeError(f"{name} did not start: {log.read_text('utf-8', 'replace').strip()}")
            sleep(0.05)
