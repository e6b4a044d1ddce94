"""What a box compiles before its first patient comes."""

from __future__ import annotations

import logging
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
        warm_up()
        assert said in caplog.text
        assert "the scorer is ready" in caplog.text
