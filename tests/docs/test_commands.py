"""What the documentation tells people to type: blocks marked `sh` are run as written, in order; the rest exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest

from appliance.cli import COMMANDS, rehabbox
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import VirtualPatient, reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(page.read_text("utf-8")) if language in languages]


def two_videos(folder: Path) -> None:
    data = os.environ.get("REHABBOX_DATA")
    if not data or not Path(data).is_dir():
        pytest.skip("needs the real recordings: set REHABBOX_DATA to their folder")
    for name in ("therapist.mp4", "patient.mp4"):
        shutil.copy(Path(data) / "video" / "squats.mp4", folder / name)


def squats(file: Path, seed: int | None, tempo: float = 2.0) -> None:
    """By a virtual patient; without a seed, by the instructor."""
    if seed is None:
        write_skeleton_csv(file, recording_of(*reference("squat", "both", repetitions=2, tempo=tempo)))
        return
    patient = VirtualPatient(seed)
    patient.rest("squat", "both", at_s=-10.0)
    end_s = patient.perform("squat", "both", 2, at_s=0.0, tempo=tempo)
    times = np.arange(int((end_s + 1.0) * 30)) / 30
    write_skeleton_csv(file, recording_of(times, patient.joints(times)))


def healthy_squats(folder: Path) -> None:
    (folder / "healthy").mkdir()
    for seed in range(3):
        squats(folder / "healthy" / f"squat_{seed}.csv.gz", seed)
    squats(folder / "squat_today.csv.gz", 7)


def a_set_and_its_session(folder: Path) -> None:
    squats(folder / "therapist.csv.gz", None)
    squats(folder / "today.csv.gz", 7)
    for name in ("references", "earlier"):
        (folder / name).mkdir()
    (folder / "sessions").mkdir()
    shutil.copy(folder / "therapist.csv.gz", folder / "references")
    metadata = SessionMetadata(
        session="s", index=0, exercise="squat", started="2026-11-02T09:00:00+00:00", software="rehabbox",
        side="both", subject="p-1", reference=digest_of(folder / "therapist.csv.gz"),
    )  # fmt: skip
    patient = VirtualPatient(7)
    patient.rest("squat", "both", at_s=-10.0)
    end_s = patient.perform("squat", "both", 2, at_s=0.0, tempo=2.0)
    writer = SessionWriter.open(folder / "00_squat.mcap", metadata)
    for time in np.arange(int((end_s + 1.0) * 30)) / 30:
        stamp_ns = int(time * 1e9)
        writer.add_skeleton(stamp_ns, stamp_ns, patient.joints(np.array([time]))[0], np.ones(17))
    writer.finish()


@pytest.mark.parametrize(
    ("page", "prepare", "made"),
    [
        ("README.md", two_videos, ["reference.csv.gz", "today.csv.gz"]),
        ("docs/report.md", a_set_and_its_session, ["squat.html", "squat.pdf"]),
        ("docs/scoring.md", healthy_squats, ["squat_template.csv.gz", "pictures/angles.png"]),
    ],
)
def test_a_pages_commands_work_as_written(
    page: str, prepare: Callable[[Path], None], made: list[str], tmp_path: Path
) -> None:
    prepare(tmp_path)
    script = "set -euo pipefail\n" + "\n".join(blocks(ROOT / page, "sh"))
    assert "rehabbox" in script
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    assert [name for name in made if not (tmp_path / name).exists()] == []


def typed() -> list[tuple[str, str]]:
    """Every `rehabbox ...` and `tools/...` in a block, with its page."""
    found = []
    for page in PAGES:
        for text in blocks(page, "", "sh", "console"):
            whole = text.replace("\\\n", " ")
            found += [
                (page.name, line.strip()) for line in whole.splitlines() if re.match(r"\s*(rehabbox|tools/)", line)
            ]
    return found


def command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that is named, and the words after it."""
    command: click.Command = rehabbox
    context = click.Context(rehabbox, info_name="rehabbox")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"there is no {words[0]}"
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize(("page", "line"), typed())
def test_what_is_typed_anywhere_exists(page: str, line: str) -> None:
    words = shlex.split(re.split(r"\s[|&<>]|\s\d?>", line)[0], comments=True)
    if words[0].startswith("tools/"):
        assert os.access(ROOT / words[0], os.X_OK)
        return
    command, rest = command_of(words[1:])
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}] == []


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"rehabbox {name}" not in readme] == []
