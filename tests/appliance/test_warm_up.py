"""What a box compiles before its first patient comes."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.warm_up import warm_up


def test_a_compiler_that_cannot_work_is_told_and_the_scorer_is_ready_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    caplog.set_level(logging.INFO)
    for program, said in (
        ("/bin/false", "the compiler ended with 1"),
        ("/not/there", "the compiler cannot be started"),
    ):
        caplog.clear()
        monkeypatch.setattr(sys, "executable", program)
        warm_up(depth=False)
        assert said in caplog.text
        assert "the scorer is ready" in caplog.text


@pytest.mark.parametrize("depth", [True, False])
def test_the_compiler_is_told_whether_there_is_a_depth_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: bool
) -> None:
    compiler, told = tmp_path / "compiler", tmp_path / "told"
    compiler.write_text(f'#!/bin/sh\necho "$@" >{told}\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(compiler))
    warm_up(depth=depth)
    assert told.read_text().split() == ["-m", "appliance.warm_up", *(["--depth"] if depth else [])]


def test_every_compiled_loop_of_the_box_is_compiled_before_the_first_patient_comes() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.appliance.warmed_loops"], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    assert {"appliance.scoring.sweep.sweep", "hal.camera.depth_mapping._draw"} <= set(found["loops"])
    assert found["early"]
    assert not [name for name in found["early"] if name.startswith("hal.")], "of no use without a depth camera"
    assert found["never"] == [], "have appliance.warm_up or hal.warm_up call them"
    assert found["anew"] == [], "compiled once more: warmed for other types of arguments than sessions have"
