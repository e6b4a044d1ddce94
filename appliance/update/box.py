"""What an updater asks of the box: no session meanwhile, and afterwards whether all of it works."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from appliance.session_lock import session_lock

STATE = Path("/var/lib/rehabbox")
REPORT = Path("/run/rehabbox-doctor/report.json")
STEADY_S = 20.0
"""A daemon that has run for so long without being started anew has started (ours)."""


class Box:
    """The installed one. systemctl: for tests."""

    def __init__(self, state: Path = STATE, report: Path = REPORT, systemctl: str = "systemctl") -> None:
        self._state, self._report, self._systemctl = state, report, systemctl

    def reserve(self) -> AbstractContextManager[bool]:
        """No session begins until the context is left; False where one runs."""
        return _no_session(self._state)

    def faults(self) -> dict[str, str]:
        """What is wrong by the doctor's check, and whether the daemon stays up; empty for a box that works."""
        self._report.unlink(missing_ok=True)
        self._ctl("start", "rehabbox-doctor.service")  # its exit status says no more than its report
        faults = {}
        try:
            checks: list[dict[str, Any]] = json.loads(self._report.read_bytes())["checks"]
            faults = {str(check["name"]): str(check["detail"]) for check in checks if not check["ok"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults["doctor"] = f"it gave no report ({type(error).__name__})"
        if not self._daemon_stays():
            faults["daemon"] = "it does not run, or was started anew"
        return faults

    def restart(self) -> None:
        self._ctl("reset-failed", "rehabbox.service")
        self._ctl("restart", "--no-block", "rehabbox.service")

    def _daemon_stays(self) -> bool:
        shown = self._ctl("show", "rehabbox.service", "--property=ActiveState,NRestarts,ActiveEnterTimestampMonotonic")
        values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        began_s = int(values.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        steady = time.clock_gettime(time.CLOCK_MONOTONIC) - began_s >= STEADY_S
        return values.get("ActiveState") == "active" and values.get("NRestarts") == "0" and steady

    def _ctl(self, *arguments: str) -> str:
        return subprocess.run([self._systemctl, *arguments], capture_output=True, text=True).stdout


@contextmanager
def _no_session(state: Path) -> Iterator[bool]:
    if not state.is_dir():  # it has never run
        yield True
        return
    with session_lock(state) as ours:
        yield ours
