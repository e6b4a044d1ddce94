"""What the command answers before it sets anything up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--quick", "--whole-grid"], "choose one of --quick and --whole-grid"),
        ([], "which has no ui-prmd-kinect2/manifest.csv or wmft-kinect2/manifest.csv"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(options: list[str], says: str, tmp_path: Path) -> None:
    environment = os.environ | {"REHABBOX_DATA": str(tmp_path)}
    done = subprocess.run([COMMAND, *options], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("baselines: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
