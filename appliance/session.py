"""One session: a prescription's exercises, one at a time: ready, recording, scoring, done; or abandoned, and why."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from appliance.assessment import Assessment, assess, unassessed
from appliance.capture import Capture
from appliance.devices import REMEDIES, Devices, driver_names, what_failed
from appliance.errors import RecordingError, UnknownReferenceError
from appliance.exercises import Exercise, exercise_by_id
from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.messages.result import DataQuality, Outcome, Result, Versions
from appliance.messages.session import Session as SessionMessage
from appliance.messages.session import SessionExercise, SessionState
from appliance.progress import Progress
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.references import ReferenceFolder
from appliance.reporter import SOFTWARE, Reporter
from appliance.set_recorder import REASONS, RecordedSet, SetRecorder
from appliance.set_watch import SetWatch
from appliance.settings import Settings
from appliance.skeleton.standard import Recording
from hal.errors import HalError
from hal.types import Cue, CueKind

_log = logging.getLogger(__name__)


class Session:
    """Runs one prescription from where `progress` says it stands; `run` returns when it is over or the box stops."""

    def __init__(
        self, prescription: Prescription, settings: Settings, devices: Devices, reporter: Reporter, progress: Progress
    ) -> None:
        self._prescription = prescription
        self._settings, self._devices, self._reporter, self._progress = settings, devices, reporter, progress
        self._references = ReferenceFolder(settings.session.references)
        self._id = uuid4()
        self._started = datetime.now(UTC)
        self._exercises = [
            SessionExercise(exercise=item.id, side=item.side, repetitions=item.repetitions)
            for item in prescription.exercises
        ]

    def run(self, stopping: threading.Event) -> None:
        """Raises `OutboxError` where a result cannot be stored."""
        for index in range(self._progress.done(self._prescription.id), len(self._exercises)):
            set_ = self._exercise(index, stopping)
            if set_ is not None and set_.end == "stopped":
                self._over("abandoned", REASONS["stopped"])
                return
            self._progress.set_done(self._prescription.id, index + 1)
            if set_ is not None and set_.end in ("left", "idle", "camera_lost"):
                self._progress.set_done(self._prescription.id, len(self._exercises))
                self._over("abandoned", REASONS[set_.end])
                return
        self._over("done")

    def _over(self, state: SessionState, reason: str | None = None) -> None:
        self._say(state, reason=reason)
        self._devices.indicator.show(Cue("waiting"))

    def _exercise(self, index: int, stopping: threading.Event) -> RecordedSet | None:
        """The recorded set, or None where none could be recorded; its result is stored either way, but on a stop."""
        prescribed = self._prescription.exercises[index]
        exercise = exercise_by_id(prescribed.id)
        try:
            reference = self._references.load(prescribed.reference)
            self._reporter.clear_alert("reference_missing")
        except (UnknownReferenceError, RecordingError) as error:
            self._reporter.raise_alert("reference_missing", str(error), "Send the reference to the box again.")
            self._finish(index, RecordedSet.nothing(), unassessed(str(error)))
            return None
        self._state("ready", index)
        stopping.wait(self._settings.session.announce_s)
        recorder = self._recorder(index, exercise)
        before = self._devices.conditions()
        try:
            with Capture(self._devices.camera, self._devices.pose, self._devices.imu) as capture:
                recorded = recorder.record(capture, stopping)
        except HalError as error:
            recorded = RecordedSet.nothing(str(error))
        except RecordingError as error:
            self._reporter.raise_alert("recording_failed", str(error), "Free disk space on the box.")
            self._finish(index, RecordedSet.nothing(), unassessed(str(error)))
            return None
        finally:
            _finish_file(recorder)
        failed = what_failed(before, self._devices.conditions())
        if recorded.camera_error is not None:
            self._reporter.raise_alert("camera_lost", recorded.camera_error, REMEDIES["camera"])
        else:
            self._reporter.clear_alert("camera_lost")
        self._state("scoring", index)
        assessment = _noting(_assess(recorded, reference, exercise), failed)
        if recorded.end == "stopped" and assessment.complete == 0:
            return recorded  # nothing to lose: the exercise is offered again after the start
        self._finish(index, recorded, assessment)
        return recorded

    def _recorder(self, index: int, exercise: Exercise) -> SetRecorder:
        prescribed = self._prescription.exercises[index]
        info = self._devices.camera.info
        metadata = SessionMetadata(
            session=str(self._id),
            index=index,
            exercise=exercise.id,
            started=datetime.now(UTC).isoformat(),
            software=SOFTWARE,
            side=prescribed.side,
            reference=prescribed.reference,
            subject=self._prescription.subject,
            camera=info.name,
            gravity=info.gravity,
            synthetic=info.synthetic,
        )
        file = metadata.file_in(self._settings.session.state / "sessions")
        return SetRecorder(
            SetWatch(prescribed.repetitions, exercise.joints, self._settings.session),
            self._settings.session,
            info.gravity,
            open_file=lambda: SessionWriter.open(file, metadata),
            on_begin=lambda: self._state("recording", index),
        )

    def _finish(self, index: int, recorded: RecordedSet, assessment: Assessment) -> None:
        """The result is on disk before the patient hears that the exercise is over."""
        result_id = uuid4()
        unscored: Outcome = "abandoned" if recorded.broken_off else "not_scored"
        outcome = unscored if assessment.reason is not None else "scored"
        prescribed = self._prescription.exercises[index]
        self._reporter.result(
            prescribed.id,
            lambda sequence: self._result(result_id, sequence, prescribed, recorded, assessment, outcome),
        )
        self._exercises[index] = self._exercises[index].model_copy(update={"outcome": outcome, "result": result_id})
        self._show("abandoned" if outcome == "abandoned" else "done", index)
        _log.info("%s: %s%s", prescribed.id, outcome, f", {assessment.reason}" if assessment.reason else "")

    def _result(
        self,
        result_id: UUID,
        sequence: int,
        prescribed: PrescribedExercise,
        recorded: RecordedSet,
        assessment: Assessment,
        outcome: Outcome,
    ) -> Result:
        score = assessment.score
        if outcome == "scored" and assessment.complete < prescribed.repetitions:
            note = f"{assessment.complete} of {prescribed.repetitions} repetitions: {REASONS[recorded.end]}"
            score = score.model_copy(update={"notes": (*score.notes, note)})
        return Result(
            id=result_id,
            sequence=sequence,
            box=self._reporter.box,
            session=self._id,
            prescription=self._prescription.id,
            subject=self._prescription.subject,
            exercise=prescribed.id,
            side=prescribed.side,
            started=recorded.started,
            ended=recorded.ended,
            status=outcome,
            reason=assessment.reason,
            paced=prescribed.paced,
            historical=not self._reporter.connected,
            repetitions=assessment.repetitions,
            score=score,
            quality=None,
            fine_rehab=None,
            symmetry=assessment.symmetry,
            data_quality=DataQuality(
                frames=recorded.frames,
                lost=recorded.lost,
                joints_seen=assessment.joints_seen,
                sync_error_ms=recorded.sync_error_ms,
                filled=assessment.filled,
                gravity=recorded.recording.gravity,
            ),
            versions=Versions(software=SOFTWARE, reference=prescribed.reference, drivers=driver_names(self._settings)),
            synthetic=self._devices.synthetic,
        )

    def _state(self, state: SessionState, index: int) -> None:
        self._say(state, index)
        self._show(state, index)

    def _show(self, kind: CueKind, index: int) -> None:
        item = self._prescription.exercises[index]
        self._devices.indicator.show(Cue(kind, item.id, item.side, item.repetitions))

    def _say(self, state: SessionState, current: int | None = None, reason: str | None = None) -> None:
        _log.info("session %s: %s%s", self._id, state, f" ({reason})" if reason else "")
        self._reporter.session(
            SessionMessage(
                id=self._id,
                box=self._reporter.box,
                prescription=self._prescription.id,
                subject=self._prescription.subject,
                state=state,
                reason=reason,
                started=self._started,
                at=datetime.now(UTC),
                current=current,
                exercises=tuple(self._exercises),
                synthetic=self._devices.synthetic,
            )
        )


def _assess(recorded: RecordedSet, reference: Recording, exercise: Exercise) -> Assessment:
    if len(recorded.recording) == 0:
        seen = f"nobody was seen in {recorded.frames} frames" if recorded.frames else "the camera gave no picture"
        return unassessed(recorded.camera_error or seen)
    assessment = assess(recorded.recording, reference, exercise)
    if assessment.reason is not None and recorded.broken_off:
        return replace(assessment, reason=f"{REASONS[recorded.end]}; {assessment.reason}")
    return assessment


def _noting(assessment: Assessment, notes: tuple[str, ...]) -> Assessment:
    score = assessment.score
    return (
        replace(assessment, score=score.model_copy(update={"notes": (*score.notes, *notes)})) if notes else assessment
    )


def _finish_file(recorder: SetRecorder) -> None:
    if recorder.file is not None:
        try:
            recorder.file.finish()
        except RecordingError as error:
            _log.error("%s", error)
