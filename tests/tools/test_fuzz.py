"""The short form of `tools/fuzz`: no input breaks a parser, takes long, or makes it grow."""

import json
import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "fuzzing"


PARSERS = {"bvh", "bvh-file", "bvh-text", "finerehab", "imu-csv", "inbox", "kinect-imu", "kinect-mkv", "prescription",
           "session", "skeleton-csv", "xbus"}  # fmt: skip


def test_no_broken_input_breaks_a_parser():
    run = subprocess.run([sys.executable, TOOL, "all", "--inputs", "2000"], capture_output=True, text=True, timeout=400)
    assert run.returncode == 0, run.stderr
    reports = [json.loads(line) for line in run.stdout.splitlines()]
    assert {report["target"] for report in reports} == PARSERS
    assert all(report["sound"] and report["inputs"] >= 100 for report in reports), reports


def test_an_unknown_parser_is_refused_with_the_names_there_are():
    run = subprocess.run([sys.executable, TOOL, "xbuss"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 2
    assert "xbus" in run.stderr.replace("xbuss", "")
