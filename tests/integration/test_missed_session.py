"""A patient who does not come: the hospital hears of it, also where the box was off when the time was over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance.messages.topics import Topics


def test_a_session_that_was_missed_is_told_although_the_box_was_off_at_its_end(ward: Any, hospital: Any) -> None:
    box = ward.start(indicator={"driver": "silent"})  # the virtual patient hears nothing, and does nothing
    prescription = hospital.prescribe([ward.exercise("squat", "both", 1)])
    hospital.wait(lambda heard: any(message["state"] == "ready" for message in heard.of("session")))
    box.process.kill()
    box.process.wait()
    hospital.client.publish(Topics("demo", "box-1").prescription, b"", retain=True)
    an_hour_passes(ward)
    box = ward.start(indicator={"driver": "silent"})
    hospital.wait(lambda heard: any(message["state"] == "missed" for message in heard.of("session")))
    assert box.stop() == 0, box.log
    (missed,) = [message for message in hospital.of("session") if message["state"] == "missed"]
    assert missed["prescription"] == prescription
    assert [item["exercise"] for item in missed["exercises"]] == ["squat"]
    assert "1 of 1" in missed["reason"]
    assert hospital.of("result") == []


def an_hour_passes(ward: Any) -> None:
    """For what the box remembers, instead of for the test."""
    file = ward.folder / "state" / "progress.json"
    remembered = json.loads(file.read_text())
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    remembered["due"] |= {"issued": (hour_ago - timedelta(hours=1)).isoformat(), "expires": hour_ago.isoformat()}
    file.write_text(json.dumps(remembered))
