"""The short form of `tools/fuzz`: no input breaks a parser, takes long, or makes it grow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "fuzzing"


@pytest.mark.parametrize(("target", "inputs"), [("xbus", 20_000), ("bvh", 4_000), ("bvh-text", 1_500)])
def test_no_broken_input_breaks_a_parser(target, inputs):
    run = subprocess.run(
        [sys.executable, TOOL, target, "--inputs", str(inputs)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert (report["target"], report["inputs"], report["sound"]) == (target, inputs, True)


def test_an_unknown_parser_is_refused_with_the_names_there_are():
    run = subprocess.run([sys.executable, TOOL, "xbuss"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 2
    assert "xbus" in run.stderr.replace("xbuss", "")
