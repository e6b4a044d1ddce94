"""The short form of `tools/load`: a small ward, cut lines, a restarted broker, and every result at the hospital."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOL = Path(__file__).parents[2] / "tools" / "loading"


def load(*options: str) -> tuple[int, dict[str, Any], str]:
    run = subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True, timeout=300)
    return run.returncode, json.loads(run.stdout.splitlines()[-1]) if run.stdout else {}, run.stderr


def test_no_result_of_a_ward_is_lost_over_cut_lines_and_a_restarted_broker() -> None:
    status, report, said = load(
        "--boxes", "40", "--every", "0.4", "--seconds", "2", "--cuts", "300", "--away", "0.2", "--spread", "0.5"
    )  # fmt: skip
    assert status == 0, said
    assert report["results"] >= 150
    assert (report["lost"], report["queued"], report["set_aside"]) == (0, 0, 0)
    assert report["ended"]["cut"] >= 1
    assert report["restart"]["attempts"] >= 40
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"] <= report["latency_ms"]["max"]


def test_a_lost_result_is_told_by_the_exit_status() -> None:
    """Nobody listens at the hospital: the boxes keep what they have."""
    status, report, _ = load(
        "--boxes", "2", "--every", "0.5", "--seconds", "1", "--away", "0.2", "--spread", "0.5", "--consumers", "0",
        "--patience", "0.2",
    )  # fmt: skip
    assert (status, report["ok"]) == (1, False)
    assert report["lost"] == report["queued"] == report["results"] > 0


def test_more_boxes_than_files_may_be_open_are_refused_in_one_line() -> None:
    status, _, said = load("--boxes", "10000000")
    assert status == 2
    assert "open files" in said
    assert "Traceback" not in said
