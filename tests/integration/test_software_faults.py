"""A fault of the box's own software costs a score or a session, never the box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BROKEN = """
import {module}

whole = {module}.{name}

def broken(*arguments, **named):
    {module}.{name} = {then}
    raise ZeroDivisionError("a fault that nobody foresaw")

{module}.{name} = broken
"""


@pytest.fixture
def broken(tmp_path: Path) -> Any:
    """The environment of a box in which a function of a module fails, always or once."""

    def environment(module: str, name: str, *, once: bool = False) -> dict[str, str]:
        folder = tmp_path / "broken"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            BROKEN.format(module=module, name=name, then="whole" if once else "broken")
        )
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
    box = ward.start(broken("appliance.session", "floor_of_takes"))
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: heard.of("alert") and any(s["state"] == "abandoned" for s in heard.of("session")))
    (alert,) = hospital.of("alert")
    assert "ZeroDivisionError" in alert["what"]
    (ended,) = (session for session in hospital.of("session") if session["state"] == "abandoned")
    assert ended["reason"] == "a fault in the box's software"
    assert box.stop() == 0


def test_a_lock_that_cannot_be_had_is_an_alert_and_the_session_comes_when_it_can(ward: Any, hospital: Any) -> None:
    lock = ward.folder / "state" / "session.lock"
    lock.mkdir(parents=True)
    box = ward.start(session=ward.session(offer_again_s=0.5))
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: heard.of("alert"))
    (alert,) = hospital.of("alert")
    assert alert["code"] == "storage_failed"
    assert "session.lock: Is a directory" in alert["what"]
    lock.rmdir()
    hospital.wait(lambda heard: any(alert["state"] == "cleared" for alert in heard.of("alert")))
    assert box.stop() == 0


def test_a_fault_that_does_not_come_again_is_over_and_leaves_nobody_waiting(
    ward: Any, hospital: Any, broken: Any
) -> None:
    """The patient must not be told "ready" until the exercise is offered again."""
    parts = '[{driver = "silent"}, {driver = "synthetic", tempo = 4.0, reaction_s = 0.1}]'
    box = ward.start(
        broken("appliance.session", "floor_of_takes", once=True) | {"REHABBOX_INDICATOR__PARTS": parts},
        indicator={"driver": "combined"},
        session=ward.session(offer_again_s=0.5),
    )
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 1)])
    hospital.wait(lambda heard: any(alert["state"] == "cleared" for alert in heard.of("alert")))
    assert [(alert["code"], alert["state"]) for alert in hospital.of("alert")] == [
        ("software_fault", "raised"),
        ("software_fault", "cleared"),
    ]
    (result,) = hospital.of("result")
    assert result["status"] == "scored"
    assert box.stop() == 0
    cues = [line.partition("cue: ")[2].split()[0] for line in box.log.splitlines() if "cue: " in line]
    assert cues[:4] == ["waiting", "ready", "waiting", "ready"]
