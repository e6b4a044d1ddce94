"""What worn sensors add to a recorded set: in step with the camera, and knowing the patient from the set before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.bench.virtual_pairs import Pair, virtual_pair
from appliance.capture import Ended, Item
from appliance.errors import RecordingError
from appliance.recorded_set import RecordedSet
from appliance.recording.session_writer import SessionWriter
from appliance.set_recorder import SetRecorder
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import INDEX, JOINTS, recording_of
from appliance.sync.same_motion import FAR_JOINT
from appliance.track import Skeleton
from hal.types import ImuSample

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


def record(
    pair: Pair,
    gone: NDArray[np.bool_],
    hidden_s: float = 0.0,
    hidden: list[int] = ARM,
    bones: Mapping[str, NDArray[np.float64]] | None = None,
) -> RecordedSet:
    def none() -> SessionWriter:
        raise RecordingError("none is wanted here")

    recorder = SetRecorder(
        SetWatch(9, JOINTS, SessionSettings()),
        SetViews({"camera": "accelerometer"}, None),
        none,
        lambda state: None,
        longest_pause_s=60.0,
        bones=bones,
    )
    return recorder.record(Played(pair, hidden_s, gone, hidden), lambda: None)  # type: ignore[arg-type]


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


def test_what_one_set_taught_of_the_patient_serves_the_next_one(pair: Pair) -> None:
    """No arm is seen in the second set: how long its bones are was learnt in the first."""
    never = np.zeros(len(pair.recording), bool)
    first = record(pair, never)
    assert {"left_elbow", "left_wrist"} <= first.bones.keys()
    strange = record(pair, ~never, hidden=ARMS)
    assert not strange.recording.confidence[:, ARM].any()
    known = record(pair, ~never, hidden=ARMS, bones=first.bones)
    found = known.recording.positions[5:-5]
    for child, parent in (("left_elbow", "left_shoulder"), ("left_wrist", "left_elbow")):
        own, true = (at[:, INDEX[child]] - at[:, INDEX[parent]] for at in (found, pair.recording.positions))
        lengths = np.linalg.norm(own, axis=1)
        assert lengths == pytest.approx(np.median(np.linalg.norm(true, axis=1)), abs=0.03)
    assert known.filled > 0.1
