"""The command as a whole: help with an example for each, one line and status 2 for whatever is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.cli import COMMANDS, rehabbox

REHABBOX = [sys.executable, "-m", "appliance"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*REHABBOX, *arguments], capture_output=True, text=True, timeout=120)


def every_command(group: click.Group = rehabbox, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name="rehabbox")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_explains_itself_with_an_example_and_each_option_with_words() -> None:
    commands = dict(every_command())
    assert {name.split()[0] for name in commands} == set(COMMANDS)
    for name, command in commands.items():
        shown = CliRunner().invoke(rehabbox, [*name.split(), "--help"])
        assert shown.exit_code == 0
        assert f"\n    rehabbox {name}" in shown.output, name
        silent = [one.name for one in command.params if isinstance(one, click.Option) and not one.help]
        assert silent == [], name
    assert run("score", "--help").stdout.startswith("Usage: rehabbox score")


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
        (["doctor", "--settings", "none.toml"], "none.toml"),
        (["watch", "http://broker"], "http://broker"),
    ],
)
def test_a_usage_error_is_one_line_that_names_it(
    arguments: list[str], named: str, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert named in said
    assert "Traceback" not in said
    if arguments:
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)


def test_the_daemon_says_in_one_line_that_it_has_no_settings() -> None:
    done = run("run", "--settings", "none.toml")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "none.toml" in done.stderr


def test_a_file_whose_name_is_no_text_is_written_and_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [*REHABBOX, "reference", "key", "--out", os.fsencode(tmp_path) + b"/\xff.key"],
        capture_output=True, check=False, timeout=120, env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\udcff.key" in done.stdout
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["segment", "score"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"time_s,a\n1,2\n", b"\x1f\x8b\x08\x00cut"])
def test_a_bad_recording_is_one_line_that_names_the_file(
    name: str, content: bytes, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    file = tmp_path / "bad.csv.gz"
    file.write_bytes(content)
    done = command(name, *([file] * (2 if name == "score" else 1)))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "bad.csv.gz" in done.stderr
