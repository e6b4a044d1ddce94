"""What the command answers; and that it makes a network the box can run, where it may take minutes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from appliance.quality.model_file import read_model

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "tools/train"


def test_help_says_what_it_makes_and_how_to_make_a_small_one() -> None:
    done = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "tools/train --quick" in done.stdout
    assert not done.stdout.startswith("#")
    assert "set -" not in done.stdout


def test_an_unknown_option_is_refused_in_one_line() -> None:
    done = subprocess.run([COMMAND, "--fast"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "train: there is no option --fast; there are --quick, --evaluate and --jobs\n"


@pytest.mark.skipif(
    os.environ.get("REHABBOX_TRAINING") != "1", reason="REHABBOX_TRAINING is not 1: it takes some minutes"
)
@pytest.mark.skipif(not (ROOT / ".venv-train/.set-up").exists(), reason="no .venv-train here: see tools/setup-training")
def test_a_small_one_is_trained_converted_and_can_be_run() -> None:
    subprocess.run([COMMAND, "--quick"], check=True, capture_output=True)
    made = read_model(ROOT / "build/train-quick")
    assert made is not None
    assert "virtual" in (ROOT / "build/train-quick/MODEL_CARD.md").read_text("utf-8")
