"""Two cameras in one set: who leads, what is joined, when it ends, and what is not believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.camera_placement import CameraPlacements, Placing, look_at_start
from appliance.capture import Capture, Ended, Item
from appliance.devices import Eye
from appliance.errors import RecordingError
from appliance.fusion.views import ViewPlacement
from appliance.recorded_set import RecordedSet
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_reader import read_session
from appliance.recording.session_writer import SessionWriter
from appliance.set_recorder import SetRecorder
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import INDEX, JOINTS, Recording, recording_of
from appliance.track import CameraRole, Skeleton
from hal.camera.synthetic import SyntheticCamera
from hal.errors import DeviceLostError, DriverOptionError, StreamEndedError
from hal.pose.device import DevicePose
from hal.types import AbsentReason, DeviceInfo, Frame, Lens
from hal.virtual.patient import reference

WRIST = INDEX["left_wrist"]
BESIDE = ViewPlacement(np.diag([-1.0, 1.0, -1.0]), np.array([0.0, 0.1, -5.0]))
"""The second camera behind the patient, 10 cm higher."""
GRAVITY = {"camera": "accelerometer", "second_camera": "accelerometer"}
SETTINGS = SessionSettings(settle_s=2.0, idle_s=20.0, absent_s=3.0, longest_s=100.0)

Calibrate = Callable[..., Path]


@pytest.fixture(scope="module")
def moving() -> Recording:
    """Three arm abductions before the first camera."""
    times, positions = reference("shoulder_abduction", "left", 3, tempo=2.0)
    return recording_of(times, positions, gravity="accelerometer")


def seen_by(camera: CameraRole, recording: Recording, hidden: tuple[int, ...] = ()) -> list[Skeleton]:
    """What that camera makes of it; the second one with a clock of its own, 7 ms later, and in its own axes."""
    second = camera == "second_camera"
    host_ns = np.round(recording.times * 1e9).astype(int) + 10**12 + (7 * 10**6 if second else 0)
    offset_ns = 3 * 10**11 if second else 10**10
    positions = recording.positions
    if second:
        host = np.clip((host_ns - 10**12) / 1e9, recording.times[0], recording.times[-1])
        flat = positions.reshape(len(positions), -1)
        moved = np.stack([np.interp(host, recording.times, column) for column in flat.T], axis=1)
        positions = (moved.reshape(positions.shape) - BESIDE.translation) @ BESIDE.rotation
    positions = positions.copy()
    positions[:, list(hidden)] = np.nan
    confidence = np.isfinite(positions).all(axis=2).astype(float)
    return [
        Skeleton(index, host - offset_ns, host, positions[index], confidence[index], camera=camera)
        for index, host in enumerate(host_ns.tolist())
    ]


class Played:
    """What the devices' queue gives, in order of arrival, then what is left to say."""

    def __init__(self, *tracks: list[Skeleton], then: tuple[Item, ...] = (Ended("camera", None),)) -> None:
        frames = sorted((frame for track in tracks for frame in track), key=lambda frame: frame.arrival_ns)
        self._items: list[Item] = [*frames, *then]

    def next(self, timeout_s: float) -> Item:
        return self._items.pop(0)


BOTH_END = (Ended("camera", None), Ended("second_camera", None))


def record(
    played: Played,
    placing: Callable[[], Placing] = lambda: Placing(BESIDE),
    file: Callable[[], SessionWriter] | None = None,
) -> RecordedSet:
    def none() -> SessionWriter:
        raise RecordingError("none is wanted here")

    watch = SetWatch(5, JOINTS, SETTINGS)
    recorder = SetRecorder(
        watch, SetViews(GRAVITY, placing), file or none, lambda kind, hint: None, longest_pause_s=9.0
    )
    return recorder.record(played, lambda: None)  # type: ignore[arg-type]


def test_a_joint_hidden_from_one_is_the_others_on_the_first_ones_clock(moving: Recording) -> None:
    played = Played(
        seen_by("camera", moving, hidden=(WRIST,)), seen_by("second_camera", moving, hidden=(0,)), then=BOTH_END
    )
    recorded = record(played)
    assert recorded.end == "source_ended"
    found = recorded.recording
    np.testing.assert_allclose(found.times, moving.times, atol=1e-6)
    np.testing.assert_allclose(found.positions[5:], moving.positions[5:], atol=0.005)
    assert found.confidence[1:].all()
    assert recorded.filled == 0.0
    assert recorded.sync.error_ms is not None
    assert recorded.sync.error_ms < 2.0
    assert recorded.notes == ()
    assert recorded.frames == 2 * len(moving)


def test_frames_from_before_the_first_camera_sees_the_patient_are_not_counted_as_recorded(moving: Recording) -> None:
    late = [frame for frame in seen_by("camera", moving) if frame.arrival_ns / 1e9 - 1000 > 0.5]
    side = seen_by("second_camera", moving)
    recorded = record(Played(late, side, then=BOTH_END))
    assert recorded.awaiting > 0
    assert recorded.frames == len(late) + len(side) - recorded.awaiting + 1


def test_while_the_first_camera_is_away_the_others_frames_take_its_place(moving: Recording) -> None:
    first = [frame for frame in seen_by("camera", moving) if not 1.0 < frame.arrival_ns / 1e9 - 1000 < 4.0]
    found = record(Played(first, seen_by("second_camera", moving), then=BOTH_END)).recording
    gap = (found.times > 1.0) & (found.times < 4.0)
    assert np.diff(found.times).max() < 0.05
    expected = np.stack([np.interp(found.times, moving.times, z) for z in moving.positions[:, WRIST].T], axis=1)
    np.testing.assert_allclose(found.positions[gap, WRIST], expected[gap], atol=0.005)


def test_a_set_goes_on_with_the_camera_that_is_left(moving: Recording) -> None:
    lost = Ended("camera", DeviceLostError("its plug is out"))
    first = seen_by("camera", moving)[:40]
    played = Played(first, seen_by("second_camera", moving), then=(Ended("second_camera", None),))
    played._items.insert(80, lost)
    recorded = record(played)
    assert recorded.end == "source_ended"
    assert recorded.recording.duration_s == pytest.approx(moving.duration_s, abs=0.05)
    assert recorded.cameras_lost == {"camera": "its plug is out"}


def test_without_either_camera_the_set_ends(moving: Recording) -> None:
    gone = tuple(Ended(role, DeviceLostError(f"{role} is out")) for role in ("camera", "second_camera"))
    recorded = record(Played(seen_by("camera", moving), seen_by("second_camera", moving), then=gone))
    assert recorded.end == "camera_lost"
    assert set(recorded.cameras_lost) == {"camera", "second_camera"}


def test_a_camera_that_cannot_be_used_is_named_in_the_result(moving: Recording) -> None:
    wrong = Ended("second_camera", DriverOptionError("nothing is plugged into its sync IN"))
    played = Played(seen_by("camera", moving))
    played._items.insert(0, wrong)
    assert record(played).notes == ("second camera not used: nothing is plugged into its sync IN",)


def test_with_a_calibration_that_is_wrong_one_view_is_scored_and_the_result_says_so(moving: Recording) -> None:
    played = Played(seen_by("camera", moving, hidden=(WRIST,)), seen_by("second_camera", moving), then=BOTH_END)
    recorded = record(played, lambda: Placing(fault="the second camera was moved"))
    assert np.isnan(recorded.recording.positions[:, WRIST]).all()
    assert recorded.notes == ("scored from one camera's view: the second camera was moved",)


def test_a_calibration_found_wrong_in_the_middle_is_not_believed_again_in_this_set(moving: Recording) -> None:
    placings = iter([Placing(BESIDE), Placing(BESIDE), Placing(fault="moved")])
    played = Played(seen_by("camera", moving, hidden=(WRIST,)), seen_by("second_camera", moving), then=BOTH_END)
    recorded = record(played, lambda: next(placings, Placing(BESIDE)))
    assert np.isnan(recorded.recording.positions[:, WRIST]).all()
    assert recorded.notes == ("scored from one camera's view: moved",)


def test_the_view_that_saw_more_is_the_one_that_counts(moving: Recording) -> None:
    played = Played(seen_by("camera", moving)[:40], seen_by("second_camera", moving), then=BOTH_END)
    recorded = record(played, lambda: Placing(fault="moved"))
    assert len(recorded.recording) == len(moving)


def test_a_helper_before_the_first_camera_is_not_filled_in_by_the_second(moving: Recording) -> None:
    disturbed: AbsentReason = "two_people"
    first = [
        frame.unseen(disturbed) if 1.0 < frame.arrival_ns / 1e9 - 1000 < 3.5 else frame
        for frame in seen_by("camera", moving)
    ]
    recorded = record(Played(first, seen_by("second_camera", moving), then=BOTH_END))
    found = recorded.recording
    inside = (found.times > 1.1) & (found.times < 3.4)
    assert not found.confidence[inside].any()
    assert found.confidence[~inside].any(axis=1).mean() > 0.9
    assert "a second person was in view" in recorded.notes[0]


def test_a_camera_that_is_away_is_no_patient_who_left(moving: Recording) -> None:
    def with_gap(unseen_s: float, away_s: float) -> Recording:
        """The set, then frames with nobody, then none at all, then one with nobody."""
        end_s = float(moving.times[-1])
        empty_s = np.append(end_s + np.arange(1, unseen_s * 30 + 1) / 30, end_s + unseen_s + away_s)
        return recording_of(
            np.append(moving.times, empty_s),
            np.concatenate([moving.positions, np.full((len(empty_s), 17, 3), np.nan)]),
        )

    watch = SetWatch(5, JOINTS, SETTINGS)
    assert watch.update(with_gap(unseen_s=1.0, away_s=10.0)) is None
    assert watch.update(with_gap(unseen_s=3.5, away_s=10.0)) == "left"
    assert SetWatch(5, JOINTS, SETTINGS).update(with_gap(unseen_s=1.0, away_s=40.0)) is None


def test_a_session_file_holds_both_views_and_how_they_were_joined(moving: Recording, tmp_path: Path) -> None:
    metadata = SessionMetadata(
        session="s", index=0, exercise="e", started="", software="", second_camera="behind", gravity="accelerometer"
    )
    path = metadata.file_in(tmp_path)

    def tracks() -> list[list[Skeleton]]:
        return [seen_by("camera", moving, hidden=(WRIST,))[:80], seen_by("second_camera", moving, hidden=(3,))]

    recorded = record(Played(*tracks(), then=BOTH_END), file=lambda: SessionWriter.open(path, metadata))
    kept = read_session(path)
    assert kept.metadata == metadata
    assert kept.skeleton is not None
    assert kept.placement is not None
    np.testing.assert_allclose(kept.skeleton.times, recorded.recording.times, atol=1e-6)
    np.testing.assert_allclose(kept.skeleton.positions, recorded.recording.positions, atol=1e-5)
    assert [len(view.recording) for view in kept.views] == [80, len(moving)]
    assert (np.diff(kept.host_ns) > 0).all()
    assert len(kept.host_ns) == len(kept.stamp_ns) == len(kept.skeleton)


def test_a_session_file_of_one_view_says_that_they_were_not_joined(moving: Recording, tmp_path: Path) -> None:
    metadata = SessionMetadata(session="s", index=0, exercise="e", started="", software="")
    path = metadata.file_in(tmp_path)
    placings = iter([Placing(BESIDE)])
    played = Played(seen_by("camera", moving, hidden=(WRIST,)), seen_by("second_camera", moving), then=BOTH_END)
    record(played, lambda: next(placings, Placing(fault="moved")), lambda: SessionWriter.open(path, metadata))
    kept = read_session(path)
    assert kept.placement is None
    assert kept.skeleton is not None
    assert np.isnan(kept.skeleton.positions[:, WRIST]).all()


FRONT = SyntheticCamera.Options(tilt_deg=8.0, height_m=1.3, rate_hz=120.0, loss=0.0)
SIDE = SyntheticCamera.Options(bearing_deg=60.0, tilt_deg=12.0, height_m=1.5, rate_hz=120.0, loss=0.0)


def frame(up: tuple[float, float, float], second: float, lens: Lens | None = None) -> Frame:
    length = float(np.linalg.norm(up))
    return Frame(0, round(second * 1e9), round(second * 1e9), up=np.array(up) / length, lens=lens)


def upright(tilt_deg: float) -> tuple[float, float, float]:
    tilt = np.radians(tilt_deg)
    return 0.0, -float(np.cos(tilt)), -float(np.sin(tilt))


def show(placements: CameraPlacements, role: CameraRole, tilt_deg: float, from_s: float, **also: Lens) -> None:
    for index in range(300):
        placements.see(role, frame(upright(tilt_deg), from_s + index / 20, **also))


def test_a_camera_that_is_knocked_is_told_once_and_taken_back_when_it_stands_again(
    calibrate_synthetic: Calibrate,
) -> None:
    placements = CameraPlacements.of(calibrate_synthetic(FRONT, SIDE))
    told: list[str | None] = []
    placements.on_change = told.append
    show(placements, "camera", 8.0, 0.0)
    assert placements.now() == Placing(None, None)  # the other one was not looked at yet
    show(placements, "second_camera", 12.3, 0.0)
    assert placements.now().placement is not None
    show(placements, "camera", 11.0, 20.0)
    assert placements.now().placement is None
    show(placements, "camera", 11.0, 40.0)
    assert told == ["the camera was moved since the cameras were calibrated (3.0 degrees)"]
    show(placements, "camera", 8.1, 60.0)
    assert told[1:] == [None]
    assert placements.now().placement is not None


def test_another_camera_than_the_calibrated_one_is_told(calibrate_synthetic: Calibrate) -> None:
    placements = CameraPlacements.of(calibrate_synthetic(FRONT, SIDE))
    show(placements, "second_camera", 12.0, 0.0, lens=Lens(1280, 720, (600.0, 600.0), (640.0, 360.0)))
    assert "the second camera is not the one that was calibrated" in str(placements.now().fault)


def test_the_placement_is_that_of_levelled_skeletons(calibrate_synthetic: Calibrate) -> None:
    """Both cameras look down; their joints lie where they are once each was made level and placed."""
    placements = CameraPlacements.of(calibrate_synthetic(FRONT, SIDE))
    cameras = {"camera": SyntheticCamera(FRONT), "second_camera": SyntheticCamera(SIDE)}
    assert look_at_start(cameras, placements) == {}  # type: ignore[arg-type]
    placement = placements.now().placement
    assert placement is not None
    np.testing.assert_allclose(placement.rotation[1], [0.0, 1.0, 0.0], atol=1e-6)
    turn_deg = np.degrees(np.arctan2(placement.rotation[0, 2], placement.rotation[0, 0]))
    assert turn_deg == pytest.approx(60.0, abs=1e-6)
    where = (2.5 * np.sin(np.radians(60)), 0.2, 2.5 * np.cos(np.radians(60)) - 2.5)
    np.testing.assert_allclose(placement.translation, where, atol=1e-6)


class Unusable:
    """A camera whose settings its cable contradicts."""

    info = DeviceInfo("broken", "test", 30.0)

    def open(self) -> None:
        raise DriverOptionError("nothing is plugged into its sync IN")

    def close(self) -> None: ...


class Short:
    """A camera whose recording ends at once."""

    info = DeviceInfo("short", "test", 30.0)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout_s: float) -> None:
        raise StreamEndedError("it is over")


def test_at_the_start_a_camera_that_cannot_be_opened_is_told(calibrate_synthetic: Calibrate) -> None:
    placements = CameraPlacements.of(calibrate_synthetic(FRONT, SIDE))
    faults = look_at_start({"second_camera": Unusable(), "camera": Short()}, placements)  # type: ignore[dict-item]
    assert faults == {"second_camera": "nothing is plugged into its sync IN"}


def test_a_set_begins_with_the_cameras_that_open(moving: Recording) -> None:
    def eye(camera: object) -> Eye:
        return Eye(camera, DevicePose(DevicePose.Options()))  # type: ignore[arg-type]

    with Capture({"second_camera": eye(Unusable()), "camera": eye(Short())}, None) as capture:
        ended = [capture.next(5.0), capture.next(5.0)]
    assert [item.device for item in ended if isinstance(item, Ended)] == ["second_camera", "camera"]
    with pytest.raises(DriverOptionError, match="sync IN"), Capture({"camera": eye(Unusable())}, None):
        pass


def test_frames_of_a_flat_picture_are_not_joined(moving: Recording) -> None:
    flat = [replace(frame, planar=True) for frame in seen_by("camera", moving)]
    recorded = record(Played(flat, seen_by("second_camera", moving), then=BOTH_END))
    assert recorded.notes == ("scored from one camera's view: a flat picture tells no place in space",)
