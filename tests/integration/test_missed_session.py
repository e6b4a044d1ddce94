"""A patient who did not come: the hospital hears of it, also where the box was off when the time was over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.progress import Progress


def test_a_session_that_was_missed_while_the_box_was_off_is_told_when_it_starts(ward: Any, hospital: Any) -> None:
    now = datetime.now(UTC)
    exercises = tuple(
        PrescribedExercise.model_validate(ward.exercise(name, "both", 1)) for name in ("shoulder_abduction", "squat")
    )
    prescription = Prescription(
        id=uuid4(),
        issued=now - timedelta(hours=2),
        expires=now - timedelta(hours=1),
        subject="p-1",
        exercises=exercises,
    )
    (ward.folder / "state").mkdir()
    before = Progress(ward.folder / "state" / "progress.json")
    before.follow(prescription)
    before.set_done(prescription.id, 0)

    box = ward.start()
    hospital.wait(lambda heard: heard.of("session") != [])
    assert box.stop() == 0, box.log
    (missed,) = hospital.of("session")
    assert (missed["state"], UUID(missed["prescription"])) == ("missed", prescription.id)
    assert [item["exercise"] for item in missed["exercises"]] == ["squat"]
    assert "1 of 2" in missed["reason"]
    assert Progress(ward.folder / "state" / "progress.json").missed(now) is None
