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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs"], "--jobs says how many processes, 1 to 99, not ''"),
        (["--jobs", "0"], "--jobs says how many processes, 1 to 99, not '0'"),
        (["--jobs", "two", "--quick"], "--jobs says how many processes, 1 to 99, not 'two'"),
        (["--evaluate", "--quick"], "choose one of --quick and --evaluate"),
        ([], "which has no ui-prmd-kinect2/manifest.csv, wmft-kinect2/manifest.csv or finerehab/annotation.csv"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(options: list[str], says: str, tmp_path: Path) -> None:
    """A folder without the recordings would make a model of virtual patients alone in the shipped one's place."""
    environment = os.environ | {"REHABBOX_DATA": str(tmp_path)}
    done = subprocess.run([COMMAND, *options], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("train: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(
    os.environ.get("REHABBOX_TRAINING") != "1", reason="REHABBOX_TRAINING is not 1: it takes some minutes"
)
@pytest.mark.skipif(not (ROOT / ".venv-train/.set-up").exists(), reason="no .venv-train here: see tools/setup-training")
def test_a_small_one_is_trained_converted_and_can_be_run() -> None:
    subprocess.run([COMMAND, "--quick"], check=True, capture_output=True)
    made = read_model(ROOT / "build/train-quick")
    assert made is not None
    assert "virtual" in (ROOT / "build/train-quick/MODEL_CARD.md").read_text("utf-8")
