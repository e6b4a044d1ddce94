"""A box that was cut off between a result and its note that the exercise is done."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from appliance.daemon import Daemon
from appliance.hospital.outbox import Outbox
from appliance.hospital.outbox_rows import Outgoing
from appliance.hospital.throwaway import ThrowawayBroker
from appliance.messages.session import Session, SessionExercise
from appliance.progress import Progress
from appliance.settings import SessionSettings, Settings


def test_an_exercise_that_has_a_result_is_not_offered_again(tmp_path: Path, broker: ThrowawayBroker) -> None:
    session, prescription, now = uuid4(), uuid4(), datetime.now(UTC)
    state, file = tmp_path / "state", tmp_path / "state" / "progress.json"
    with closing(Outbox(state, lambda payload: [Outgoing("r", payload)])) as outbox:
        outbox.put_result(str(session), "01_squat", lambda sequence: json.dumps({"sequence": sequence}).encode())
    exercises = tuple(SessionExercise(exercise="squat", side="both", repetitions=1) for _ in range(3))
    Progress(file).open_session(
        Session(
            id=session, box="box-1", prescription=prescription, subject="p-1", state="scoring", started=now, at=now,
            current=1, exercises=exercises, synthetic=True,
        )
    )  # fmt: skip
    settings = Settings(
        broker=broker.settings_for("box-1"),
        camera={"driver": "synthetic"},
        session=SessionSettings(state=state, references=tmp_path),
    )
    daemon = Daemon(settings)
    daemon._close_what_was_open()
    assert json.loads(file.read_text())["done"] == [1]
    assert daemon._progress.interrupted is None
