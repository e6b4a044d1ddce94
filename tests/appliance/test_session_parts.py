"""The small parts of a session: when a set is over, what was lost, which reference it is, how far a prescription is."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from time import sleep
from uuid import uuid4

import numpy as np
import pytest

from appliance.assessment import assess
from appliance.capture import Capture, Ended, Item
from appliance.devices import Eye
from appliance.errors import RecordingError, UnknownReferenceError
from appliance.exercises import exercise_by_id
from appliance.guidance_settings import GuidanceSettings
from appliance.messages.prescription import PrescribedExercise, Prescription
from appliance.orders import Orders
from appliance.pause import PauseWatch
from appliance.progress import Progress
from appliance.recorded_set import RecordedSet
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_reader import read_session
from appliance.recording.session_writer import SessionWriter
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import ReferenceFolder, digest_of
from appliance.set_guide import SetGuide
from appliance.set_recorder import SetRecorder
from appliance.set_views import SetViews
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from appliance.track import Skeleton, Track
from hal.pose.device import DevicePose
from hal.types import DeviceInfo
from hal.virtual.patient import reference


def a_set(repetitions: int, rest_s: float, seed: int = 1) -> Recording:
    """The virtual instructor's arm abduction, with a camera's noise and rest after it."""
    times, positions = reference("shoulder_abduction", "left", repetitions, tempo=1.5)
    held = round(rest_s * 30)
    times = np.append(times, times[-1] + np.arange(1, held + 1) / 30)
    positions = np.concatenate([positions, np.repeat(positions[-1:], held, axis=0)])
    noise = np.random.default_rng(seed).normal(0.0, 0.005, positions.shape)
    return recording_of(times, positions + noise, gravity="accelerometer")


SETTINGS = SessionSettings(settle_s=2.0, idle_s=20.0, absent_s=5.0, longest_s=100.0)


def watch(prescribed: int = 3, settings: SessionSettings = SETTINGS) -> SetWatch:
    return SetWatch(prescribed, JOINTS, settings)


def test_a_set_is_complete_when_the_patient_has_rested_after_the_last_repetition() -> None:
    assert watch().update(a_set(3, rest_s=0.2)) is None
    assert watch().update(a_set(3, rest_s=3.0)) == "complete"


def test_a_set_with_repetitions_missing_goes_on_until_nobody_moves_for_long() -> None:
    assert watch(prescribed=4).update(a_set(3, rest_s=10.0)) is None
    assert watch(prescribed=4).update(a_set(3, rest_s=25.0)) == "idle"


def test_a_patient_out_of_view_has_left() -> None:
    recording = a_set(2, rest_s=8.0)
    gone = recording.times > recording.times[-1] - 6.0
    confidence = np.where(gone[:, None], 0.0, recording.confidence)
    positions = np.where(gone[:, None, None], np.nan, recording.positions)
    assert watch().update(replace(recording, confidence=confidence, positions=positions)) == "left"


def test_no_set_is_recorded_for_ever() -> None:
    assert watch(3, replace_settings(longest_s=5.0)).update(a_set(2, rest_s=1.0)) == "too_long"


def replace_settings(**changes: float) -> SessionSettings:
    return SETTINGS.model_copy(update=changes)


def skeleton(index: int, stamp_ns: int) -> Skeleton:
    return Skeleton(index, stamp_ns, stamp_ns, np.zeros((17, 3)), np.ones(17))


def test_a_track_counts_what_the_camera_lost_and_keeps_time_increasing() -> None:
    track = Track("camera")
    for index, stamp in [(5, 100), (6, 200), (9, 500), (10, 500), (11, 700)]:
        track.add(skeleton(index, stamp * 1_000_000))
    recording = track.recording()
    assert recording.times.tolist() == pytest.approx([0.0, 0.1, 0.4, 0.6])
    assert track.lost == 3  # 7 and 8 never came, 10 came out of order


def test_an_empty_track_is_an_empty_recording() -> None:
    track = Track("camera")
    assert (len(track.recording()), track.lost) == (0, 0)


def test_a_reference_is_found_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    file = tmp_path / "any name.csv.gz"
    write_skeleton_csv(file, a_set(1, 0.0))
    folder = ReferenceFolder(tmp_path)
    digest = digest_of(file)
    assert len(folder.load(digest)) == len(a_set(1, 0.0))
    write_skeleton_csv(file, a_set(1, 0.0, seed=2))
    with pytest.raises(UnknownReferenceError, match=digest):
        folder.load(digest)


def test_a_reference_that_is_no_recording_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "reference.csv"
    file.write_text("not a recording")
    with pytest.raises(RecordingError, match=r"reference\.csv"):
        ReferenceFolder(tmp_path).load(digest_of(file))
    with pytest.raises(UnknownReferenceError, match="0 files"):
        ReferenceFolder(tmp_path / "nowhere").load("sha256:" + "0" * 64)


def prescription(exercises: int = 3, subject: str = "p-1", lasts_s: float = 3600.0) -> Prescription:
    now = datetime.now(UTC)
    return Prescription(
        id=uuid4(),
        issued=now - timedelta(hours=1),
        expires=now + timedelta(seconds=lasts_s),
        subject=subject,
        exercises=tuple(
            PrescribedExercise(id="squat", repetitions=3, reference="sha256:" + "0" * 64) for _ in range(exercises)
        ),
    )


def test_progress_outlives_the_process_and_belongs_to_one_prescription(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    first, second = prescription(), prescription()
    Progress(file).set_done(first.id, 1)
    assert Progress(file).remaining(first) == [0, 2]
    assert Progress(file).remaining(second) == [0, 1, 2]
    for index in (0, 2):
        Progress(file).set_done(first.id, index)
    assert Progress(file).is_done(first)
    assert not Progress(file).is_done(second)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"prescription": 1}', b"\xff\xfe"])
def test_damaged_progress_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "progress.json").write_bytes(damage)
    assert Progress(tmp_path / "progress.json").remaining(prescription(1)) == [0]


def test_of_damaged_progress_nothing_is_quoted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "progress.json").write_bytes(b'{"due": {"subject": "Mustermann-1950-05-01", "exercises": "cut o')
    Progress(tmp_path / "progress.json")
    assert "is not readable" in caplog.text
    assert "Mustermann" not in caplog.text
    assert len(caplog.records[-1].getMessage().splitlines()) == 1


def test_two_threads_lose_nothing_of_each_others_progress(tmp_path: Path) -> None:
    progress, wanted, followed = Progress(tmp_path / "progress.json"), prescription(40), prescription()

    def follow() -> None:
        for _ in range(20):
            progress.follow(followed)
            progress.follow(None)

    following = threading.Thread(target=follow)
    following.start()
    for index in range(40):
        progress.set_done(wanted.id, index)
    following.join()
    assert progress.is_done(wanted)
    assert Progress(tmp_path / "progress.json").is_done(wanted)


def test_progress_that_cannot_be_written_does_not_stop_a_session(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "no folder" / "progress.json")
    wanted = prescription(1)
    progress.set_done(wanted.id, 0)
    assert progress.is_done(wanted)


def orders(tmp_path: Path) -> tuple[Orders, Progress]:
    progress = Progress(tmp_path / "progress.json")
    return Orders(progress), progress


def test_orders_hold_until_they_are_done_withdrawn_replaced_or_over(tmp_path: Path) -> None:
    given, _ = orders(tmp_path)
    first = prescription(1)
    given.receive(first)
    assert given.next() == first
    assert given.interruption(first) is None
    given.receive(first)
    assert given.interruption(first) is None
    given.receive(prescription(1))
    assert given.interruption(first) == "replaced"
    given.receive(prescription(1, subject="p-2"))
    assert given.interruption(first) == "withdrawn"
    given.receive(None)
    assert given.interruption(first) == "withdrawn"
    short = prescription(1, lasts_s=0.05)
    given.receive(short)
    sleep(0.1)
    assert given.interruption(short) == "expired"
    given.stop()
    assert given.interruption(short) == "stopped"


def test_what_is_done_expired_or_postponed_is_not_offered(tmp_path: Path) -> None:
    given, progress = orders(tmp_path)
    done = prescription(1)
    progress.set_done(done.id, 0)
    given.receive(done)
    assert nothing_offered(given)
    given.receive(prescription(1, lasts_s=-1.0))
    assert nothing_offered(given)
    again = prescription(1)
    given.receive(again)
    given.postpone(again, 60.0)
    given.receive(again)
    assert nothing_offered(given)
    another = prescription(1)
    given.receive(another)
    given.postpone(again, 60.0)  # its session ended only after another had taken its place
    assert given.next() == another


def nothing_offered(given: Orders) -> bool:
    """A stop ends the waiting; an offer would have come before it."""
    threading.Timer(0.3, given.stop).start()
    offered = given.next()
    given.stopped = False
    return offered is None


def one_view() -> SetViews:
    return SetViews({"camera": "camera"}, None)


class SilentCapture:
    """Devices that are open and give nothing."""

    def next(self, timeout_s: float) -> None:
        sleep(0.01)


def test_a_camera_that_gives_nothing_is_lost_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.set_recorder.SILENT_S", 0.1)
    recorder = SetRecorder(watch(), one_view(), pytest.fail, pytest.fail, longest_pause_s=60.0)
    recorded = recorder.record(SilentCapture(), lambda: None)  # type: ignore[arg-type]
    assert recorded.end == "camera_lost"
    assert "gave nothing" in recorded.cameras_lost["camera"]


def guide_of(told: list[str], presses: list[int], answer_s: float = 25.0) -> SetGuide:
    return SetGuide(
        GuidanceSettings(place=False, answer_s=answer_s),
        exercise_by_id("shoulder_abduction"),
        lambda kind, hint: told.append(f"{kind} {hint}".strip()),
        lambda: presses.pop() if presses else 0,
        a_set(1, 0.0),
    )


def test_a_press_ends_a_set_while_the_camera_gives_nothing_and_while_somebody_else_is_in_view() -> None:
    for capture in (SilentCapture(), disturbed(a_set(3, rest_s=2.0), 0.0, 60.0)):
        told: list[str] = []
        recorder = SetRecorder(
            watch(), one_view(), full_disk, lambda kind, hint: None, 60.0, guide=guide_of(told, presses=[1])
        )
        assert recorder.record(capture, lambda: None).end == "patient_stopped"  # type: ignore[arg-type]


def test_who_goes_on_instead_of_saying_that_they_are_all_right_goes_on() -> None:
    first, then = a_set(1, rest_s=21.5), a_set(2, rest_s=5.0)
    both = recording_of(
        np.append(first.times, then.times + first.times[-1] + 1 / 30),
        np.concatenate([first.positions, then.positions]),
        gravity="accelerometer",
    )
    for answer_s, end in ((25.0, "complete"), (1.0, "no_response")):
        told: list[str] = []
        guide = guide_of(told, [], answer_s)
        recorder = SetRecorder(watch(3), one_view(), full_disk, lambda kind, hint: None, 60.0, guide=guide)
        assert recorder.record(Played(both), lambda: None).end == end  # type: ignore[arg-type]
        assert told == ["question all_right", *(["recording"] if end == "complete" else [])]


def test_while_somebody_else_is_in_view_no_answer_is_waited_for() -> None:
    alone = a_set(1, rest_s=60.0)
    asked_s = alone.times[-1] - 60.0 + 21.5
    told: list[str] = []
    guide = guide_of(told, [], answer_s=10.0)
    recorder = SetRecorder(watch(3), one_view(), full_disk, lambda kind, hint: None, 60.0, guide=guide)
    recorded = recorder.record(disturbed(alone, asked_s, asked_s + 15.0), lambda: None)  # type: ignore[arg-type]
    assert told == ["question all_right"]
    assert recorded.end == "no_response"
    assert recorded.recording.duration_s > asked_s + 15.0 + 5.0


class BrokenCamera:
    """A driver with a fault of its own."""

    info = DeviceInfo("broken", "test", 30.0)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read(self, timeout_s: float) -> None:
        raise ZeroDivisionError("in the driver")


def test_a_drivers_own_fault_ends_the_set_and_is_named() -> None:
    eyes = {"camera": Eye(BrokenCamera(), DevicePose(DevicePose.Options()))}  # type: ignore[arg-type]
    with Capture(eyes, None) as capture:
        ended = capture.next(5.0)
    assert isinstance(ended, Ended)
    assert "in the driver" in str(ended.error)


def frames(recording: Recording) -> list[Skeleton]:
    stamps = np.round(recording.times * 1e9).astype(int).tolist()
    return [
        Skeleton(index, stamp, stamp, recording.positions[index], recording.confidence[index])
        for index, stamp in enumerate(stamps)
    ]


class Played:
    """A set as the devices' queue gives it, then the end of the replay."""

    def __init__(self, recording: Recording) -> None:
        self._items: list[Item] = [*frames(recording), Ended("camera", None)]

    def next(self, timeout_s: float) -> Item:
        return self._items.pop(0)


def full_disk() -> SessionWriter:
    raise RecordingError("session.mcap: cannot be written: No space left on device")


def test_a_set_on_a_full_disk_is_recorded_without_a_file() -> None:
    began: list[str] = []
    recorder = SetRecorder(watch(), one_view(), full_disk, lambda kind, hint: began.append(kind), longest_pause_s=60.0)
    recorded = recorder.record(Played(a_set(2, rest_s=0.5)), lambda: None)  # type: ignore[arg-type]
    assert recorded.end == "source_ended"
    assert len(recorded.recording) == len(a_set(2, rest_s=0.5))
    assert recorded.file_error is not None
    assert began == ["recording"]


class SetBack(datetime):
    """A clock that is set back by three hours at each look."""

    looks = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        cls.looks += 1
        return datetime.now(tz) - timedelta(hours=3 * cls.looks)


def test_a_clock_that_is_set_back_in_a_set_does_not_let_it_end_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.set_recorder.datetime", SetBack)
    recorder = SetRecorder(watch(), one_view(), full_disk, lambda kind, hint: None, longest_pause_s=60.0)
    recorded = recorder.record(Played(a_set(2, rest_s=0.5)), lambda: None)  # type: ignore[arg-type]
    assert timedelta(0) < recorded.ended - recorded.started < timedelta(minutes=1)


class FaultyWatch(SetWatch):
    """One with a fault of its own."""

    def update(self, recording: Recording) -> None:
        if recording.duration_s > 2.0:
            raise ZeroDivisionError("a fault that nobody foresaw")


def test_a_fault_of_our_own_in_the_middle_of_a_set_leaves_a_finished_file(tmp_path: Path) -> None:
    metadata = SessionMetadata(session="s", index=0, exercise="e", started="", software="")
    path = metadata.file_in(tmp_path)
    faulty = FaultyWatch(3, JOINTS, SETTINGS)
    recorder = SetRecorder(
        faulty, one_view(), lambda: SessionWriter.open(path, metadata), lambda kind, hint: None, longest_pause_s=60.0
    )
    with pytest.raises(ZeroDivisionError):
        recorder.record(Played(a_set(2, rest_s=0.5)), lambda: None)  # type: ignore[arg-type]
    kept = read_session(path)
    assert kept.skeleton is not None
    assert kept.skeleton.duration_s > 2.0
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def disturbed(recording: Recording, from_s: float, to_s: float) -> Played:
    """The set again, with a second person in view for a while."""
    played = Played(recording)
    played._items = [
        replace(item, absent="two_people", positions=np.full((17, 3), np.nan), confidence=np.zeros(17))
        if isinstance(item, Skeleton) and from_s * 1e9 <= item.stamp_ns <= to_s * 1e9
        else item
        for item in played._items
    ]
    return played


def record_disturbed(from_s: float, to_s: float, longest_pause_s: float) -> tuple[RecordedSet, list[str]]:
    def no_file() -> SessionWriter:
        raise RecordingError("none is wanted here")

    changes: list[str] = []
    recorder = SetRecorder(watch(5), one_view(), no_file, lambda kind, hint: changes.append(kind), longest_pause_s)
    played = disturbed(a_set(3, rest_s=2.0), from_s, to_s)
    return recorder.record(played, lambda: None), changes  # type: ignore[arg-type]


def test_a_second_person_pauses_the_set_and_the_result_says_so() -> None:
    recorded, changes = record_disturbed(3.0, 6.0, longest_pause_s=60.0)
    assert changes == ["recording", "paused", "recording"]
    assert recorded.end == "source_ended"
    assert recorded.notes == ("paused 1 x, 3.0 s in all: a second person was in view",)


def test_somebody_who_crosses_the_view_does_not_disturb_the_exercise() -> None:
    recorded, changes = record_disturbed(3.0, 3.6, longest_pause_s=60.0)
    assert changes == ["recording"]
    assert recorded.notes == ()


def test_a_pause_that_does_not_end_ends_the_set() -> None:
    recorded, changes = record_disturbed(3.0, 99.0, longest_pause_s=4.0)
    assert changes == ["recording", "paused"]
    assert recorded.end == "disturbed"
    assert "paused 1 x, 4." in recorded.notes[0]


def test_a_second_person_before_the_set_is_told_too_and_is_no_part_of_it() -> None:
    recorded, changes = record_disturbed(0.0, 2.0, longest_pause_s=60.0)
    assert changes == ["paused", "recording"]
    assert recorded.notes == ()
    assert recorded.recording.duration_s < a_set(3, rest_s=2.0).duration_s - 2.0


def test_doubtful_frames_far_apart_are_no_disturbance() -> None:
    alone = frames(a_set(1, rest_s=20.0))
    watching = PauseWatch()
    stray = [replace(frame, absent="two_people") if index in (30, 330) else frame for index, frame in enumerate(alone)]
    unseen = [replace(frame, absent="no_person") if 30 < index < 330 else frame for index, frame in enumerate(stray)]
    assert [watching.update(frame) for frame in unseen if frame.index <= 330] == [None] * 331


def test_a_set_is_scored_without_the_waiting_around_it() -> None:
    exercise = exercise_by_id("shoulder_abduction")
    instructor = a_set(3, rest_s=0.0)
    at_once, after_a_wait = (assess(a_set(3, rest_s=wait, seed=5), instructor, exercise) for wait in (0.0, 12.0))
    assert at_once.complete == after_a_wait.complete == 3
    assert at_once.score.tempo_ratio == pytest.approx(1.0, abs=0.03)
    assert after_a_wait.score.tempo_ratio == pytest.approx(1.0, abs=0.06)
    assert all(repetition.pose_dissimilarity is not None for repetition in at_once.repetitions)


def test_a_worse_range_of_motion_scores_worse() -> None:
    exercise = exercise_by_id("shoulder_abduction")
    instructor = a_set(3, rest_s=0.0)
    well = a_set(3, rest_s=0.0, seed=5)
    lower = recording_of(well.times, well.positions * (1, 1, 1) + 0.35 * (instructor.positions[:1] - well.positions))
    good, poor = (assess(recording, instructor, exercise).score for recording in (well, lower))
    assert good.pose_dissimilarity is not None
    assert poor.pose_dissimilarity is not None
    assert poor.pose_dissimilarity > 3 * good.pose_dissimilarity


def test_a_set_without_a_complete_repetition_says_so() -> None:
    still = a_set(1, rest_s=5.0).between(5.5, 9.0)
    assessment = assess(still, a_set(1, 0.0), exercise_by_id("shoulder_abduction"))
    assert assessment.reason is not None
    assert assessment.score.pose_dissimilarity is None
