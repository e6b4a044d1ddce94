"""A therapist records a reference in front of the box: one or two takes, guided by light and loudspeaker.

The box signs nothing and keeps nothing of it. The takes go to the hospital in the answer, and come back as a reference
when somebody there has looked at them and signed them: who can send a command cannot by that alone decide what
patients are measured against.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from appliance.devices import Devices
from appliance.errors import NotScorableError, RecordingError, RefusedError, UnknownExerciseError
from appliance.exercises import Exercise, exercise_by_id
from appliance.hospital.signature import digest_of_bytes
from appliance.inbound.answers import Answers, Request
from appliance.messages.command import RecordReference
from appliance.messages.reference import MAX_BYTES, RecordedReference, RecordedTake
from appliance.orders import Interruption, Orders
from appliance.recorded_set import REASONS, RecordedSet
from appliance.recording.session_format import SessionMetadata
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.reporter import SOFTWARE, Reporter
from appliance.scoring.options import options_for
from appliance.scoring.prepare import prepare_reference
from appliance.segmentation.repetitions import find_repetitions
from appliance.settings import Settings
from appliance.station import Station
from appliance.watchdog import Alive
from hal.types import Cue, CueKind

_log = logging.getLogger(__name__)

MARGIN_S = 1.0
"""Kept before the first repetition and after the last, as of a patient's set."""
LARGEST_TAKE = 3 * MAX_BYTES // 4 // 2 - 4096
"""Bytes: two of them, in base64, are a reference."""


class TakeRecorder:
    """For the thread that runs sessions."""

    def __init__(
        self, settings: Settings, devices: Devices, reporter: Reporter, orders: Orders, answers: Answers
    ) -> None:
        self._settings, self._guidance = settings.session, settings.guidance
        self._devices, self._reporter = devices, reporter
        self._orders, self._answers = orders, answers

    def record(self, command: RecordReference, request: Request, alive: Alive) -> None:
        """Answers with the takes, or why there are none. Raises `RehabBoxError`."""
        try:
            exercise = exercise_by_id(command.exercise)
        except UnknownExerciseError as error:
            raise RefusedError(str(error), "unknown_exercise") from None
        if command.side not in exercise.sides:
            raise RefusedError(f"{exercise.id} is done with {' or '.join(exercise.sides)}")
        session = uuid4()
        try:
            takes = tuple(self._take(command, exercise, session, number, alive) for number in range(command.takes))
        except BaseException:
            self._devices.indicator.show(Cue("abandoned", exercise.id, command.side, command.repetitions))
            raise
        finally:
            shutil.rmtree(self._settings.state / "sessions" / str(session), ignore_errors=True)
            self._devices.indicator.show(Cue("waiting"))
        recorded = RecordedReference(exercise=exercise.id, session=session, takes=takes)
        self._answers.give(request, "done", command.id, recorded=recorded)

    def _take(
        self, command: RecordReference, exercise: Exercise, session: UUID, number: int, alive: Alive
    ) -> RecordedTake:
        def show(kind: CueKind, hint: str = "") -> None:
            detail = {"hint": hint} if hint else {}
            self._devices.indicator.show(Cue(kind, exercise.id, command.side, command.repetitions, detail))

        def interruption() -> Interruption | None:
            alive()
            if self._orders.stopped:
                return "stopped"
            return "expired" if command.expires <= datetime.now(UTC) else None

        camera = self._devices.cameras["camera"].info
        metadata = SessionMetadata(
            session=str(session),
            index=number,
            exercise=exercise.id,
            started=datetime.now(UTC).isoformat(),
            software=SOFTWARE,
            side=command.side,
            camera=camera.name,
            gravity=camera.gravity,
            synthetic=self._devices.synthetic,
        )
        show("ready")
        station = Station(self._settings, self._guidance, self._devices, self._reporter, interruption)
        take = _usable(station.record(metadata, exercise, command.repetitions, show), exercise, command.repetitions)
        show("done")
        return take


def _usable(recorded: RecordedSet, exercise: Exercise, wanted: int) -> RecordedTake:
    """Raises `NotScorableError` for what could not be a reference."""
    if recorded.end not in ("complete", "source_ended"):
        why = "the command expired" if recorded.end == "expired" else REASONS[recorded.end]
        raise NotScorableError(f"nothing was recorded: {why}")
    found = [one for one in find_repetitions(recorded.recording, exercise.joints) if one.complete]
    if len(found) < wanted:
        raise NotScorableError(f"{len(found)} of {wanted} repetitions were seen; record it again")
    cut = recorded.recording.between(found[0].start_s - MARGIN_S, found[-1].end_s + MARGIN_S)
    cut = replace(cut, times=cut.times - cut.times[0])
    prepare_reference(cut, options_for(exercise))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "take.csv.gz"
        write_skeleton_csv(file, cut)
        content = file.read_bytes()
    if len(content) > LARGEST_TAKE:
        raise RecordingError(f"the take has {len(content)} bytes, at most {LARGEST_TAKE} go over; do fewer repetitions")
    return RecordedTake(
        digest=digest_of_bytes(content), repetitions=len(found), seconds=float(cut.times[-1]), recording=content
    )
