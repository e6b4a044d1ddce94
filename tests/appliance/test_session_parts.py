"""The small parts of a session: when a set is over, what was lost, which reference it is, how far a prescription is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from appliance.assessment import assess
from appliance.errors import RecordingError, UnknownReferenceError
from appliance.exercises import exercise_by_id
from appliance.progress import Progress
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import ReferenceFolder, digest_of
from appliance.set_watch import SetWatch
from appliance.settings import SessionSettings
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from appliance.track import Skeleton, Track
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


def test_progress_outlives_the_process_and_belongs_to_one_prescription(tmp_path: Path) -> None:
    first, second = uuid4(), uuid4()
    Progress(tmp_path / "progress.json").set_done(first, 2)
    assert Progress(tmp_path / "progress.json").done(first) == 2
    assert Progress(tmp_path / "progress.json").done(second) == 0


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"prescription": 1}', b"\xff\xfe"])
def test_damaged_progress_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "progress.json").write_bytes(damage)
    assert Progress(tmp_path / "progress.json").done(uuid4()) == 0


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
