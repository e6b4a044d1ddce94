"""What the command answers before it sets anything up."""

from __future__ import annotations

import subprocess
from pathlib import Path

COMMAND = Path(__file__).parents[2] / "tools/baselines"


def test_help_says_what_each_option_costs() -> None:
    done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "tools/baselines --whole-grid" in done.stdout
    assert not done.stdout.startswith("#")
    assert "set -" not in done.stdout


def test_an_unknown_option_is_refused_in_one_line() -> None:
    done = subprocess.run([COMMAND, "--fast"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "baselines: there is no option --fast; there are --quick and --whole-grid\n"
