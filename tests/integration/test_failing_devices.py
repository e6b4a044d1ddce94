"""Devices that fail while the box works: it goes on with what is left, says so, and never stops.

The failing ones are drivers of another distribution (`plug_in`), found by their entry points like anybody's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "health.json"


def test_a_session_goes_on_with_what_is_left_and_says_so(
    ward: Any, hospital: Any, plug_in: dict[str, str], tmp_path: Path
) -> None:
    led = f'{{driver = "led", name = "status", root = "{tmp_path}/leds"}}'
    foot = '{driver = "foot", trips = {"done shoulder_abduction" = 3.8}}'  # until after the next announcement
    ear = '{driver = "synthetic", tempo = 4.0, reaction_s = 1.4}'
    box = ward.start(
        plug_in | {"REHABBOX_INDICATOR__PARTS": f"[{led}, {ear}, {foot}]", "REHABBOX_SESSION__ANNOUNCE_S": "3.2"},
        camera={"driver": "flaky", "good_reads": 10, "missing": 1},
        imu={"driver": "flaky", "good_reads": 6, "missing": 1000},
        indicator={"driver": "combined"},
        health={"interval_s": 1.2},
        recovery={"give_up_s": 3.0},
    )
    hospital.wait(lambda heard: any(alert["code"] == "indicator_lost" for alert in heard.of("alert")))
    status = tmp_path / "leds" / "status"
    status.mkdir(parents=True)
    for name, text in (("max_brightness", "255"), ("brightness", "0"), ("trigger", "[none]")):
        (status / name).write_text(text)
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 2), ward.exercise("squat", "both", 2)])
    hospital.wait(lambda heard: any(message["state"] == "done" for message in heard.of("session")))
    hospital.wait(lambda heard: any(health["devices"]["imu"]["state"] == "lost" for health in heard.of("health")[-1:]))
    assert box.stop() == 0, box.log

    first, second = hospital.of("result")
    assert (first["status"], second["status"]) == ("scored", "scored"), box.log
    assert [repetition["complete"] for repetition in first["repetitions"]] == [True, True]
    assert any(note.startswith("camera interrupted 1 x, 0.") for note in first["score"]["notes"])
    assert 10 <= first["data_quality"]["lost"] <= 40
    for result in (first, second):
        assert any("the flaky imu" in note for note in result["score"]["notes"])
    assert any(note.startswith("camera interrupted 1 x, 1.") for note in second["score"]["notes"])
    assert second["data_quality"]["lost"] < 10

    told = hospital.of("health")
    validator = jsonschema.Draft202012Validator(
        json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker()
    )
    for health in told:
        validator.validate(health)
    assert any(health["devices"]["camera"]["rate_hz"] == pytest.approx(30, abs=5) for health in told)
    assert 0 < told[-1]["disk_free_bytes"] <= told[-1]["disk_bytes"]
    devices = told[-1]["devices"]
    assert (devices["camera"]["interruptions"], devices["camera"]["attempts"]) == (2, 3)
    assert devices["camera"]["state"] in ("idle", "ok")
    assert devices["camera"]["received"] > 100
    assert devices["indicator"]["state"] == "ok"
    assert devices["imu"]["interruptions"] == 1
    assert 2 <= devices["imu"]["attempts"] <= 5
    assert "not there" in devices["imu"]["error"]
    alerts = [(alert["code"], alert["state"]) for alert in hospital.of("alert")]
    assert ("imu_lost", "raised") in alerts
    assert alerts.index(("indicator_lost", "raised")) < alerts.index(("indicator_lost", "cleared"))
    assert "camera_lost" not in dict(alerts)
    assert [message["state"] for message in hospital.of("status")] == ["online"]
    assert "Traceback" not in box.log
