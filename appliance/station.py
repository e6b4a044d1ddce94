"""Where sets are recorded: the devices before which the patient takes place, one exercise after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.capture import Capture
from appliance.devices import LOST, REMEDIES, Devices
from appliance.exercises import Exercise
from appliance.guidance_settings import GuidanceSettings
from appliance.orders import Interruption
from appliance.recorded_set import RecordedSet
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.reporter import Reporter
from appliance.set_guide import SetGuide, Tell
from appliance.set_recorder import SetRecorder
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import Recording
from hal.errors import HalError

POLL_S = 0.1


class Station:
    """For the sets of one session: one person, wearing the same sensors throughout."""

    def __init__(
        self,
        settings: SessionSettings,
        guidance: GuidanceSettings,
        devices: Devices,
        reporter: Reporter,
        interruption: Callable[[], Interruption | None],
    ) -> None:
        self._settings, self._guidance, self._devices = settings, guidance, devices
        self._reporter, self._interruption = reporter, interruption
        self._bones: dict[str, NDArray[np.float64]] = {}

    def record(
        self,
        metadata: SessionMetadata,
        exercise: Exercise,
        repetitions: int,
        tell: Tell,
        reference: Recording | None = None,
        limits: Mapping[str, float] | None = None,
        paced: bool = False,
    ) -> RecordedSet:
        """One set, from its announcement on; what is wrong with the devices is told by alerts, not raised.

        reference, limits, paced: of the prescription; without a reference one is being recorded.
        """
        guide = SetGuide(
            self._guidance, exercise, tell, self._devices.presses, reference, limits, repetitions if paced else 0
        )
        announced = time.monotonic()
        self._devices.presses()  # what was pressed before the announcement means nothing
        while time.monotonic() - announced < self._settings.announce_s:
            interruption = self._interruption()
            if interruption is not None:
                return RecordedSet.nothing(interruption)
            if self._devices.presses():
                return RecordedSet.nothing("patient_stopped")
            time.sleep(POLL_S)
        try:
            with self._capture() as capture:
                recorder = self._recorder(metadata, exercise, repetitions, guide, tell)
                recorded = recorder.record(capture, self._interruption)
        except HalError as error:
            recorded = RecordedSet.nothing("camera_lost", {"camera": str(error)})
        self._bones |= recorded.bones
        self._tell(recorded)
        return recorded

    def _capture(self) -> Capture:
        placements = self._devices.placements
        if placements is None:
            return Capture(self._devices.eyes, self._devices.imu)
        for role in self._devices.eyes:
            placements.opened(role)
        return Capture(self._devices.eyes, self._devices.imu, placements.see)

    def _recorder(
        self,
        metadata: SessionMetadata,
        exercise: Exercise,
        repetitions: int,
        guide: SetGuide,
        tell: Tell,
    ) -> SetRecorder:
        placements = self._devices.placements
        gravity = {role: camera.info.gravity for role, camera in self._devices.cameras.items()}
        file = metadata.file_in(self._settings.state / "sessions")
        return SetRecorder(
            SetWatch(repetitions, exercise.joints, self._settings),
            SetViews(gravity, placements.now if placements is not None else None),
            open_file=lambda: SessionWriter.open(file, metadata),
            tell=tell,
            longest_pause_s=self._settings.idle_s,
            bones=self._bones,
            guide=guide,
        )

    def _tell(self, recorded: RecordedSet) -> None:
        """A camera that was lost in the set and is back by now, or was used again, is no alert any more."""
        for role, camera in self._devices.cameras.items():
            error = recorded.cameras_lost.get(role)
            if error is not None:
                self._reporter.raise_alert(LOST[role], error, REMEDIES[role])
            elif camera.condition.error is None:
                self._reporter.clear_alert(LOST[role])
        self._reporter.alert_if("recording_failed", recorded.file_error, "Free disk space on the box.")
