"""A command on a terminal of its own, and all that it wrote there."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
from types import TracebackType
from typing import Self

COLUMNS, LINES = 118, 40


class Terminal:
    """A context manager: the command runs within it."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._said = bytearray()

    def __enter__(self) -> Self:
        self._ours, theirs = pty.openpty()
        environment = os.environ | {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
        self._process = subprocess.Popen(
            self._command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def stop(self) -> str:
        """As by Ctrl-C; what was written."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        self._reader.join(30)
        return self._said.decode("utf-8", "replace")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join(30)
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._ours, 65536)
            except OSError:  # nobody holds the other end any more
                return
            if not part:
                return
            self._said += part
