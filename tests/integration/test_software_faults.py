"""A fault of the box's own software costs a score or a session, never the box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BROKEN = """
import {module}

def broken(*arguments, **named):
    raise ZeroDivisionError("a fault that nobody foresaw")

{module}.{name} = broken
"""


@pytest.fixture
def broken(tmp_path: Path) -> Any:
    """The environment of a box in which a function of a module fails."""

    def environment(module: str, name: str) -> dict[str, str]:
        folder = tmp_path / "broken"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(BROKEN.format(module=module, name=name))
        return {"PYTHONPATH": f"{folder}:{Path.cwd()}"}

    return environment


def test_a_set_that_the_scorer_fails_on_has_a_result_that_says_so(ward: Any, hospital: Any, broken: Any) -> None:
    box = ward.start(broken("appliance.session", "assess"))
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: heard.of("result"))
    (result,) = hospital.of("result")
    assert result["score"]["pose_dissimilarity"] is None
    assert "ZeroDivisionError" in result["reason"]
    hospital.wait(lambda heard: any(session["state"] == "done" for session in heard.of("session")))
    assert "a fault that nobody foresaw" in box.log
    assert box.stop() == 0


def test_a_session_that_breaks_off_is_abandoned_with_an_alert_and_the_box_stays(
    ward: Any, hospital: Any, broken: Any
) -> None:
    box = ward.start(broken("appliance.session", "floor_of_reference"))
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: heard.of("alert") and any(s["state"] == "abandoned" for s in heard.of("session")))
    (alert,) = hospital.of("alert")
    assert "ZeroDivisionError" in alert["what"]
    (ended,) = (session for session in hospital.of("session") if session["state"] == "abandoned")
    assert ended["reason"] == "a fault in the box's software"
    assert box.stop() == 0
