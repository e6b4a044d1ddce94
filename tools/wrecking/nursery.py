"""Lives of a box: each a fork of this process, which has imported the software and done nothing else.

Two hundred starts would otherwise be little but imports. It reads `start` lines and writes `born PID` and
`ended PID STATUS`; with its input's end all lives end.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path

import appliance.daemon  # noqa: F401
from appliance.cli import main
from appliance.warm_up import warm_up

POLL_S = 0.02


def _live(settings: str, log: str) -> None:
    """As `rehabbox run`, in a process group of its own."""
    os.setsid()
    for number, name, mode in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY), (2, log, os.O_WRONLY)):
        file = os.open(name, mode | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    sys.argv = ["rehabbox", "run", "--settings", settings]
    main()


def _tell(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def _bear(settings: str, log: str) -> None:
    warm_up(depth=False)
    alive: set[int] = set()
    _tell("ready")
    while True:
        readable, _, _ = select.select([0], [], [], POLL_S)
        if readable:
            if not os.read(0, 100):
                break
            child = os.fork()
            if child == 0:
                return _live(settings, log)
            alive.add(child)
            _tell(f"born {child}")
        for child in list(alive):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                alive.discard(child)
                _tell(f"ended {child} {os.waitstatus_to_exitcode(status)}")
    for child in alive:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return None


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[2])
    sys.exit(_bear(*sys.argv[1:]))
