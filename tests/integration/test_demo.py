"""The demo, as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DEMO = [sys.executable, "-m", "appliance", "demo"]


def test_the_demo_shows_three_results_that_came_through_the_broker() -> None:
    done = subprocess.run([*DEMO, "--json"], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    results = answer["results"]
    assert [result["sequence"] for result in results] == [1, 2, 3]
    assert len({result["exercise"] for result in results}) == 3
    for result in results:
        assert result["status"] == "scored"
        assert [repetition["complete"] for repetition in result["repetitions"]] == [True] * 3
        assert 0 < result["score"]["pose_dissimilarity"] < 0.2
        assert result["synthetic"] is True
    assert 0 <= answer["latency_ms"] < 10_000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--video", "x.mp4"], "--reference"),
        (["--video", "none.mp4", "--reference", "none.csv"], "none.mp4"),
        (["--video", __file__, "--reference", "none.csv"], "test_demo.py"),
        (["--video", __file__, "--reference", __file__, "--exercise", "juggling"], "juggling"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command("demo", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert named in done.stderr
