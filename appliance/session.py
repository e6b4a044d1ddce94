"""One session: a prescription's exercises, one at a time: ready, recording, scoring, done; or abandoned, and why.

An exercise is over when it has a result. One that was broken off before its first repetition has none, and is offered
again in a later session; so is one whose reference is missing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from appliance.assessment import Assessment, assess, unassessed
from appliance.devices import Devices, driver_names, what_failed
from appliance.errors import NotScorableError, OutboxError, RecordingError, UnknownReferenceError
from appliance.exercises import Exercise, exercise_by_id
from appliance.journal import about
from appliance.messages.prescription import Prescription, Side
from appliance.orders import Interruption
from appliance.progress import Progress
from appliance.quality.judgement import usable_judge
from appliance.questions import ask
from appliance.recorded_set import REASONS, RecordedSet, RecordingEnd
from appliance.recording.session_format import SessionMetadata, place_of
from appliance.references import ReferenceFolder
from appliance.reporter import SOFTWARE, Reporter
from appliance.results import Origin, make_result, outcome_of
from appliance.scoring.calibration_file import read_calibration
from appliance.scoring.noise import floor_of_takes
from appliance.scoring.options import options_for
from appliance.scoring.prepare import prepare_reference
from appliance.session_voice import SessionVoice
from appliance.settings import Settings
from appliance.skeleton.standard import Recording
from appliance.station import Station
from hal.types import CueKind

_log = logging.getLogger(__name__)

POLL_S = 0.1
LAST_CUES: Mapping[RecordingEnd, tuple[CueKind, str]] = {
    "camera_lost": ("fault", "camera"),
    "patient_stopped": ("abandoned", "stopped"),
    "limit_exceeded": ("abandoned", "limit"),
    "fall_suspected": ("help", "fall"),
    "no_response": ("help", "no_response"),
}
"""Ends of a set that end the session, too, and what the patient hears."""
ALERTS: Mapping[Literal["limit_exceeded", "fall_suspected", "no_response"], str] = {
    "limit_exceeded": "Look at the recording; ask the patient, and set the limit or the exercise anew.",
    "fall_suspected": "Call the patient now; send help where nobody answers.",
    "no_response": "Call the patient now; send help where nobody answers.",
}
"""Until a set goes well, the hospital is told so."""
STORE_AGAIN_S = 5.0
"""Pause between two attempts to store a result on a disk that refused it."""


class Session:
    """Runs one prescription from where `progress` says it stands; `run` returns when it can go no further.

    interruption: why the prescription is not to be followed any more, asked all the time.
    """

    def __init__(
        self,
        prescription: Prescription,
        settings: Settings,
        devices: Devices,
        reporter: Reporter,
        progress: Progress,
        interruption: Callable[[], Interruption | None],
    ) -> None:
        self._prescription = prescription
        self._settings, self._devices, self._reporter, self._progress = settings, devices, reporter, progress
        self._interruption = interruption
        self._folder = ReferenceFolder(settings.session.references)
        self._phi_deg: float | None = None
        digest = None
        if settings.session.calibration is not None:
            calibration, digest = read_calibration(settings.session.calibration)
            self._phi_deg = calibration.phi_deg
        self._origin = Origin(reporter.box, uuid4(), prescription, driver_names(settings), devices.synthetic, digest)
        self._station = Station(settings.session, settings.guidance, devices, reporter, interruption)
        self._voice = SessionVoice(
            self._origin.session, prescription, devices.synthetic, reporter, progress, devices.indicator
        )
        self._recording = False
        self._there = self._exercised = self._answered = False
        """Whether the patient was there when the last set ended; whether there was any set to be asked about;
        whether the last one ended with an answer, of which one more press may be the rest."""

    def run(self) -> None:
        """Everything that can go wrong is said by alerts and in the session's messages; nothing is raised."""
        with about("session", str(self._origin.session)):
            self._run()

    def _run(self) -> None:
        references, missing = self._references()
        abandoned = missing
        remaining = self._progress.remaining(self._prescription)
        for index in remaining:
            interruption = self._interruption()
            if interruption is not None:
                abandoned = REASONS[interruption]
                break
            if index not in references:
                continue
            with about("exercise", self._prescription.exercises[index].id):
                stop = self._exercise(index, references[index])
                pressed = self._linger()
                if pressed and stop is None and index != remaining[-1]:
                    stop = REASONS["patient_stopped"]
                    self._voice.show("abandoned", index, "stopped")
                    self._linger()
            if stop is not None:
                abandoned = stop
                break
        if self._there and self._exercised and self._settings.guidance.ask:
            asked = ask(self._devices, self._voice.wonder, self._settings.guidance, self._interruption)
            self._voice.feedback, self._voice.feedback_missing = asked.feedback, asked.missing
        self._voice.close(abandoned)

    def _references(self) -> tuple[dict[int, Recording], str | None]:
        """The usable references by exercise, and what is wrong with the others: before the patient has done a thing."""
        usable: dict[int, Recording] = {}
        faults = []
        for index in self._progress.remaining(self._prescription):
            item = self._prescription.exercises[index]
            try:
                reference = self._folder.load(item.reference)
                prepare_reference(reference, options_for(exercise_by_id(item.id)))
                usable[index] = reference
            except (UnknownReferenceError, RecordingError) as error:
                faults.append(f"{item.id}: {error}")
            except NotScorableError as error:
                faults.append(f"{item.id}: the reference {item.reference} {error}")
        if not faults:
            self._reporter.clear_alert("reference_missing")
            return usable, None
        what = "; ".join(faults)
        self._reporter.raise_alert("reference_missing", what, "Send a usable reference to the box.")
        return usable, f"no usable reference: {what}"

    def _exercise(self, index: int, reference: Recording) -> str | None:
        """Why the session cannot go on, or None when it can."""
        exercise = exercise_by_id(self._prescription.exercises[index].id)
        self._recording = False
        self._voice.both("ready", index)
        options = replace(options_for(exercise), phi_deg=self._phi_deg)
        second = self._folder.load_second(self._prescription.exercises[index].reference)
        floor = floor_of_takes(reference, second, options)
        before = self._devices.conditions()
        recorded = self._record(index, exercise, reference)
        self._watch_over(index, recorded)
        if recorded.end == "withdrawn" or (recorded.end != "source_ended" and not recorded.begun):
            return REASONS[recorded.end]
        if recorded.end not in LAST_CUES:
            self._voice.both("scoring", index)
        else:
            self._voice.say("scoring", index)
        side = self._prescription.exercises[index].side
        assessment = _assess(recorded, reference, exercise, self._phi_deg, floor, side)
        if recorded.broken_off and not assessment.repetitions:
            return REASONS[recorded.end]
        self._finish(index, recorded, assessment, what_failed(before, self._devices.conditions()))
        return REASONS[recorded.end] if recorded.end in ("stopped", *LAST_CUES) else None

    def _watch_over(self, index: int, recorded: RecordedSet) -> None:
        """How the set ended, for the patient by a cue, and by an alert for whoever should know."""
        self._there = recorded.end in (
            "complete",
            "idle",
            "too_long",
            "source_ended",
            "patient_stopped",
            "limit_exceeded",
            "camera_lost",
        )
        self._exercised |= recorded.begun
        self._answered = recorded.end == "idle"
        if recorded.begun:
            for code, remedy in ALERTS.items():
                what = f"{REASONS[code]}: {recorded.what}".rstrip(": ") if code == recorded.end else None
                self._reporter.alert_if(code, what, remedy)
        if recorded.end in LAST_CUES:
            kind, hint = LAST_CUES[recorded.end]
            self._voice.show(kind, index, hint)

    def _linger(self) -> bool:
        """What was said last is heard to its end. Whether the button was pressed since the set was over: to stop."""
        until = time.monotonic() + self._settings.guidance.words_s
        presses = self._devices.presses()
        while time.monotonic() < until and self._interruption() is None:
            time.sleep(POLL_S)
            presses += self._devices.presses()
        return presses > 0 and not self._answered

    def _record(self, index: int, exercise: Exercise, reference: Recording) -> RecordedSet:
        prescribed = self._prescription.exercises[index]
        cameras = self._devices.cameras
        metadata = SessionMetadata(
            session=str(self._origin.session),
            index=index,
            exercise=exercise.id,
            started=datetime.now(UTC).isoformat(),
            software=SOFTWARE,
            side=prescribed.side,
            reference=prescribed.reference,
            subject=self._prescription.subject,
            camera=cameras["camera"].info.name,
            second_camera=cameras["second_camera"].info.name if "second_camera" in cameras else "",
            gravity=cameras["camera"].info.gravity,
            synthetic=self._devices.synthetic,
        )
        return self._station.record(
            metadata,
            exercise,
            prescribed.repetitions,
            lambda kind, hint: self._told(kind, hint, index),
            reference,
            prescribed.limits,
            prescribed.paced,
        )

    def _told(self, kind: CueKind, hint: str, index: int) -> None:
        """What is between the box and the patient the hospital reads in the result; but that the set has begun, now."""
        if kind == "recording" and not self._recording:
            self._recording = True
            self._voice.say("recording", index)
        self._voice.show(kind, index, hint)

    def _finish(self, index: int, recorded: RecordedSet, assessment: Assessment, notes: tuple[str, ...]) -> None:
        """The result is on disk before the patient hears that the exercise is over."""
        if recorded.file_error is not None:
            notes = (*notes, f"the session file is not whole: {recorded.file_error}")
        notes = (*notes, *recorded.notes)
        result_id = uuid4()
        outcome = outcome_of(recorded, assessment)
        exercise = self._prescription.exercises[index].id
        sequence = self._until_stored(
            lambda: self._reporter.result(
                str(self._origin.session),
                place_of(index, exercise),
                lambda sequence: make_result(self._origin, index, recorded, assessment, notes, result_id, sequence),
            )
        )
        if sequence is None:
            return
        _log.info("result %d is on disk: %s", sequence, result_id)
        self._progress.set_done(self._prescription.id, index)
        self._voice.finish(index, outcome, result_id, quiet=recorded.end in LAST_CUES)
        _log.info("%s: %s%s", exercise, outcome, f", {assessment.reason}" if assessment.reason else "")

    def _until_stored(self, store: Callable[[], int]) -> int | None:
        """Waits for a disk that refuses, with an alert; None if the box is stopped before it takes the result."""
        while True:
            try:
                sequence = store()
                self._reporter.clear_alert("storage_failed")
                return sequence
            except OutboxError as error:
                self._reporter.raise_alert("storage_failed", str(error), "Free disk space on the box.")
            again = time.monotonic() + STORE_AGAIN_S
            while time.monotonic() < again:
                if self._interruption() == "stopped":
                    _log.error("the box stops before the result could be stored")
                    return None
                time.sleep(POLL_S)


def _assess(
    recorded: RecordedSet,
    reference: Recording,
    exercise: Exercise,
    phi_deg: float | None,
    noise_floor: Mapping[str, float],
    side: Side,
) -> Assessment:
    if not recorded.begun:
        seen = f"nobody was seen in {recorded.awaiting} frames" if recorded.awaiting else "the camera gave no picture"
        return unassessed("; ".join(recorded.cameras_lost.values()) if recorded.end == "camera_lost" else seen)
    try:
        assessment = assess(recorded.recording, reference, exercise, phi_deg, noise_floor, usable_judge(), side)
    except Exception as error:  # noqa: BLE001  what the patient did is kept, and a result says that it was not scored
        _log.exception("%s: the scorer failed", exercise.id)
        return unassessed(f"a fault in the box's software ({type(error).__name__})")
    if assessment.reason is not None and recorded.broken_off:
        return replace(assessment, reason=f"{REASONS[recorded.end]}; {assessment.reason}")
    return assessment
