"""The command as a whole: help with an example for each, one line and status 2 for whatever is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import COMMANDS

REHABBOX = [sys.executable, "-m", "appliance"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*REHABBOX, *arguments], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"\n    rehabbox {command}" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "Commands"),
        (["nonsense"], "nonsense"),
        (["score", "--nonsense"], "--nonsense"),
        (["score", "a.csv"], "RECORDING"),
        (["score", "none.csv", "none.csv"], "none.csv"),
        (["segment", "none.csv"], "none.csv"),
        (["pose", "none.mp4", "--out", "x.csv"], "none.mp4"),
        (["batch", "none.csv", "--out", "x.csv"], "none.csv"),
        (["run", "--settings", "none.toml"], "none.toml"),
        (["doctor", "--settings", "none.toml"], "none.toml"),
        (["watch", "http://broker"], "http://broker"),
    ],
)
def test_a_usage_error_is_one_line_that_names_it(arguments: list[str], named: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert named in said
    assert "Traceback" not in said
    if arguments:
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)


@pytest.mark.parametrize("command", ["segment", "score"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"time_s,a\n1,2\n", b"\x1f\x8b\x08\x00cut"])
def test_a_bad_recording_is_one_line_that_names_the_file(command: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv.gz"
    file.write_bytes(content)
    done = run(command, *([str(file)] * (2 if command == "score" else 1)))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "bad.csv.gz" in done.stderr
