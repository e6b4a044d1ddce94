"""What worn sensors add to a recorded set: in step with the camera, and knowing the patient from the set before."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.bench.virtual_pairs import Pair, virtual_pair
from appliance.capture import Ended, Item
from appliance.errors import RecordingError
from appliance.exercises import exercise_by_id
from appliance.guidance_settings import GuidanceSettings
from appliance.recorded_set import RecordedSet
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.set_recorder import SetRecorder
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import INDEX, JOINTS, recording_of
from appliance.station import Station
from appliance.sync.same_motion import FAR_JOINT
from appliance.track import Skeleton
from hal.recovery import Condition
from hal.types import DeviceInfo, ImuSample

ARM = [INDEX["left_elbow"], INDEX["left_wrist"]]
ARMS = [*ARM, INDEX["right_elbow"], INDEX["right_wrist"]]
WORN = ("upper_back", "left_arm", "left_forearm", "right_forearm")
HOST_NS = 10**12


@pytest.fixture(scope="module")
def pair() -> Pair:
    return virtual_pair("shoulder_abduction", seed=4, offset_s=0.0, repetitions=3)


class Played:
    """Camera and sensors in order of arrival; what the camera stamps was hidden_s ago."""

    def __init__(self, pair: Pair, hidden_s: float, gone: NDArray[np.bool_], hidden: list[int]) -> None:
        positions = pair.recording.positions.copy()
        positions[gone[:, None] & np.isin(np.arange(17), hidden)] = np.nan
        seen = recording_of(pair.recording.times, positions)
        timed: list[tuple[int, Item]] = []
        for index, time_s in enumerate(seen.times):
            late_ns = round((time_s + hidden_s) * 1e9)
            frame = Skeleton(
                index, late_ns + 7 * 10**9, late_ns + HOST_NS, seen.positions[index], seen.confidence[index]
            )
            timed.append((frame.arrival_ns, frame))
        for segment in WORN:
            sensor = pair.worn[FAR_JOINT[segment]]
            for index, time_s in enumerate(sensor.times):
                stamp_ns = round(time_s * 1e9)
                felt, turned = sensor.acceleration[index], sensor.angular_velocity[index]
                sample = ImuSample(segment, index, stamp_ns, stamp_ns + HOST_NS, felt, turned)
                timed.append((sample.arrival_ns, [sample]))
        self._items = [item for _, item in sorted(timed, key=lambda each: each[0])]
        self._items.append(Ended("camera", None))

    def next(self, timeout_s: float) -> Item:
        return self._items.pop(0)


def record(pair: Pair, gone: NDArray[np.bool_], hidden_s: float = 0.0) -> RecordedSet:
    def none() -> SessionWriter:
        raise RecordingError("none is wanted here")

    views = SetViews({"camera": "accelerometer"}, None)
    watch = SetWatch(9, JOINTS, SessionSettings())
    recorder = SetRecorder(watch, views, none, lambda kind, hint: None, longest_pause_s=60.0)
    return recorder.record(Played(pair, hidden_s, gone, ARM), lambda: None)  # type: ignore[arg-type]


def off_m(pair: Pair, recorded: RecordedSet, gone: NDArray[np.bool_]) -> float:
    """How far the hidden arm is from where the camera had seen it, on average."""
    assert recorded.recording.confidence[gone][:, ARM].all()
    away = recorded.recording.positions[gone][:, ARM] - pair.recording.positions[gone][:, ARM]
    return float(np.linalg.norm(away, axis=2).mean())


def test_a_hidden_camera_delay_does_not_spoil_the_joints_that_come_from_the_sensors(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = pair.recording.times
    gone = np.abs(times - times[len(times) // 2]) < 1.0
    late = record(pair, gone, hidden_s=0.08)
    assert late.sync.delay_s == pytest.approx(0.08, abs=0.01)
    corrected = off_m(pair, late, gone)
    monkeypatch.setattr("appliance.sync.refine.LEAST_CONFIDENCE", 1.1)  # the motion is never believed
    uncorrected = record(pair, gone, hidden_s=0.08)
    assert uncorrected.sync.delay_s is None
    assert corrected < 0.5 * off_m(pair, uncorrected, gone)
    assert corrected < 0.02  # the camera's own 1 cm of noise is in it


class Deaf:
    """Nobody to tell alerts to."""

    def alert_if(self, code: str, what: str | None, remedy: str) -> None: ...

    def clear_alert(self, code: str) -> None: ...


class Playing(Station):
    """A station before which prepared sets are played instead of captured."""

    def __init__(self, folder: Path, *sets: Played) -> None:
        camera = SimpleNamespace(info=DeviceInfo("test", "test", 30.0, gravity="accelerometer"))
        camera.condition = Condition("ok")
        devices = SimpleNamespace(cameras={"camera": camera}, placements=None, presses=lambda: 0)
        settings = SessionSettings(announce_s=0.0, state=folder)
        super().__init__(settings, GuidanceSettings(place=False), devices, Deaf(), lambda: None)  # type: ignore[arg-type]
        self._sets = [*sets]

    def _capture(self) -> Any:
        return contextlib.nullcontext(self._sets.pop(0))

    def next_set(self, index: int) -> RecordedSet:
        metadata = SessionMetadata(session="s", index=index, exercise="e", started="", software="")
        return self.record(metadata, exercise_by_id("shoulder_abduction"), 9, lambda kind, hint: None)


def test_what_one_set_taught_of_the_patient_serves_the_next_one_of_the_session(pair: Pair, tmp_path: Path) -> None:
    """No arm is seen in the second set: how long its bones are was learnt in the first."""
    never = np.zeros(len(pair.recording), bool)
    blind = Played(pair, 0.0, ~never, ARMS)
    strange = Playing(tmp_path / "strange", blind).next_set(0)
    assert not strange.recording.confidence[:, ARM].any()

    station = Playing(tmp_path / "known", Played(pair, 0.0, never, ARMS), Played(pair, 0.0, ~never, ARMS))
    first, known = station.next_set(0), station.next_set(1)
    assert first.filled == 0.0
    assert known.filled > 0.1
    found = known.recording.positions[5:-5]
    for child, parent in (("left_elbow", "left_shoulder"), ("left_wrist", "left_elbow")):
        own, true = (at[:, INDEX[child]] - at[:, INDEX[parent]] for at in (found, pair.recording.positions))
        lengths = np.linalg.norm(own, axis=1)
        assert lengths == pytest.approx(np.median(np.linalg.norm(true, axis=1)), abs=0.03)
