"""The harness's end of the nursery."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

START_S = 180.0
"""A fresh checkout compiles the scorer first."""
END_S = 60.0


class Lives:
    """One life after another. prefix: before the nursery's command."""

    def __init__(self, prefix: Sequence[str], environment: dict[str, str], settings: Path, log: Path) -> None:
        self._pid: int | None = None
        self._status: int | None = None
        self._changed = threading.Condition()
        self._ready = False
        self._process = subprocess.Popen(
            [*prefix, sys.executable, str(Path(__file__).with_name("nursery.py")), str(settings), str(log)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | environment, bufsize=0,
        )  # fmt: skip
        threading.Thread(target=self._hear, daemon=True).start()

    def start(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._ready, START_S)
            self._pid = self._status = None
            assert self._process.stdin is not None
            self._process.stdin.write(b"start\n")
            self._changed.wait_for(lambda: self._pid is not None, END_S)

    @property
    def running(self) -> bool:
        return self._pid is not None and self._status is None

    def end(self, number: signal.Signals) -> int | None:
        """The exit status, minus the signal's number where it ended by one; None for a life that does not end."""
        with self._changed:
            if self._pid is not None and self._status is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._pid, number)
                self._changed.wait_for(lambda: self._status is not None, END_S)
            return self._status

    def close(self) -> None:
        self.end(signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, *numbers = line.split()
            with self._changed:
                if what == b"ready":
                    self._ready = True
                elif what == b"born":
                    self._pid = int(numbers[0])
                elif what == b"ended" and int(numbers[0]) == self._pid:
                    self._status = int(numbers[1])
                self._changed.notify_all()
