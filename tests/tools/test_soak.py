"""The short form of `tools/soak --hours`: two hours of a box's life, with faults."""

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "soaking"


def test_sessions_of_hours_are_replayed_in_seconds_and_no_result_is_lost() -> None:
    command = [sys.executable, TOOL, "--hours", "2", "--exercises", "8", "--in-a-session", "4"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    verdict = json.loads(run.stdout.splitlines()[-1])
    assert verdict["hours"] >= 2.0
    assert verdict["stored"] == verdict["received"] == 8
    assert (verdict["lost"], verdict["holes"]) == (0, 0)
    assert verdict["faults"]["camera lost"] == verdict["faults"]["sensors lost"] == 1
    assert verdict["faults"]["broker killed"] == verdict["faults"]["sets through the pose network"] == 1
    assert len(verdict["threads"]) == len(verdict["descriptors"]) == 1, run.stdout
    assert verdict["daemon_exit"] == 0
