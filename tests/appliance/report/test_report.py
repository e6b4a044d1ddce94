"""A report names what was done wrong, shows whatever a file says as text, and fetches nothing."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.exercises import exercise_by_id
from appliance.messages.result import FineRehab, Quality
from appliance.quality.of_set import SetQuality
from appliance.quality.parts import Level
from appliance.recording.files import read_recording
from appliance.recording.session_format import SessionMetadata
from appliance.recording.session_writer import SessionWriter
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.references import digest_of
from appliance.report.content import Content, content_of
from appliance.report.differences import differences
from appliance.report.page import page_of
from appliance.report.printing import png_of
from appliance.report.taken import Taken, _instant, earlier_than, read_taken
from appliance.report.words import findings
from appliance.segmentation.repetitions import Repetition
from appliance.skeleton.standard import JOINTS, Recording, recording_of
from hal.virtual.impairment import Impairment
from hal.virtual.patient import VirtualPatient, reference

BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def shown(exercise: str = "shoulder_abduction", side: str = "left", repetitions: int = 2) -> Recording:
    return recording_of(*reference(exercise, side, repetitions=repetitions))


def done(
    impairment: Impairment | None,
    exercise: str = "shoulder_abduction",
    side: str = "left",
    tempo: float = 1.0,
    seed: int = 3,
) -> Recording:
    patient = VirtualPatient(seed)
    patient.rest(exercise, side, at_s=-10.0)
    end_s = patient.perform(exercise, side, 2, at_s=0.0, tempo=tempo, impairment=impairment)
    times = np.arange(int((end_s + 1.0) * 30)) / 30
    return recording_of(times, patient.joints(times))


def report_of(recording: Recording, exercise: str = "shoulder_abduction", side: str = "left") -> Content:
    taken = Taken(Path("today.csv"), recording, exercise)
    return content_of(taken, shown(exercise, side), "reference.csv", exercise_by_id(exercise))


def words(content: Content) -> list[str]:
    """What stands out."""
    return [finding.sentence for finding in content.found]


@pytest.mark.parametrize(
    ("exercise", "side", "impairment", "topic", "named"),
    [
        ("shoulder_abduction", "left", Impairment(completeness={"left_arm": 1}), "range", "left shoulder"),
        ("squat", "both", Impairment(completeness={"left_leg": 1, "right_leg": 1}), "range", "knee"),
        ("seated_knee_extension", "right", Impairment(completeness={"right_leg": 1}), "range", "right knee"),
        ("shoulder_abduction", "left", Impairment(correction={"trunk": 0}), "compensation", "trunk"),
        ("hip_abduction", "left", Impairment(correction={"trunk": 0}), "compensation", "trunk"),
        ("shoulder_abduction", "left", Impairment(smoothness={"left_arm": 0}), "halting", "Not fluent"),
        ("squat", "both", Impairment(smoothness={"left_leg": 0, "right_leg": 0}), "halting", "Not fluent"),
        ("squat", "both", Impairment(correction={"left_leg": 0, "right_leg": 0}), "knees", "knees fall inwards"),
        ("squat", "both", Impairment(correction={"left_arm": 0, "right_arm": 0}), "another way", "holds still"),
    ],
)
def test_the_words_name_a_known_fault_first(
    exercise: str, side: str, impairment: Impairment, topic: str, named: str
) -> None:
    content = report_of(done(impairment, exercise, side), exercise, side)
    assert content.words[0].topic == topic, words(content)
    assert named in content.words[0].sentence


def test_of_two_arms_the_one_that_lags_is_named() -> None:
    (first, *_) = words(report_of(done(Impairment(completeness={"left_arm": 1}), side="both"), side="both"))
    assert "left shoulder" in first
    assert "right shoulder" not in first


def test_what_follows_from_a_trunk_that_leans_is_not_told_as_faults_of_their_own() -> None:
    """Hips bend further with it, and every joint goes a longer way."""
    (only,) = words(report_of(done(Impairment(correction={"trunk": 0}), "squat", "both", seed=6), "squat", "both"))
    assert only.startswith("Compensation: the trunk leans forward or back")


def test_a_patient_who_does_as_the_reference_is_told_of_nothing() -> None:
    content = report_of(done(None))
    assert content.words == ()
    assert "Nothing stands out" in page_of(content)


@pytest.mark.parametrize("seed", range(4))
def test_a_movement_that_is_only_small_is_not_called_halting_by_a_cameras_noise(seed: int) -> None:
    small = done(Impairment(completeness={"left_leg": 2, "right_leg": 2}), "squat", "both", seed=seed)
    noise = np.random.default_rng(seed).normal(0.0, 0.006, small.positions.shape)
    content = report_of(replace(small, positions=small.positions + noise), "squat", "both")
    assert {finding.topic for finding in content.found} <= {"range"}, words(content)
    assert content.words[0].topic == "range"


def test_a_difference_that_correct_recordings_show_too_is_set_apart_as_such() -> None:
    content = report_of(done(Impairment(correction={"trunk": 3})))
    assert words(content) == []
    assert "the trunk" in content.lesser[0].sentence
    page = page_of(content)
    assert page.index("Nothing stands out") < page.index("correct recordings of other persons show too")


def test_hardly_a_correct_recording_of_real_people_is_called_not_fluent(data: Path) -> None:
    folder = data / "ui-prmd-kinect2"
    with (folder / "manifest.csv").open() as file:
        correct = [row for row in csv.DictReader(file) if row["level"] == "0"][::16]
    said = [_differs(folder / row["reference"], folder / row["file"]) for row in correct]
    assert len(said) == 30
    assert sum("halting" in topics for topics in said) <= 2


def _differs(reference_file: Path, file: Path) -> list[str]:
    reference, recording = read_recording(reference_file), read_recording(file)
    spans = [Repetition(one.times[0], None, one.times[-1], complete=True) for one in (reference, recording)]
    found = findings(differences(reference, spans[:1], recording, spans[1:], JOINTS), [])
    return [finding.topic for finding in found if finding.clear]


@pytest.mark.parametrize(
    ("correct", "level", "disagree"),
    [(0.01, "above average", True), (0.95, "poor", True), (0.95, "good", False), (0.1, "average", False)],
)
def test_where_the_classifiers_two_views_disagree_the_page_says_so(
    correct: float, level: Level, disagree: bool
) -> None:
    still = replace(shown(), positions=np.repeat(shown().positions[:1], len(shown()), axis=0))
    content = report_of(still)
    fine_rehab = FineRehab(score=3.0, dimensions={"completeness": 2.4}, grades={}, level=level, no_level=None)
    quality = Quality(quality=correct, level=1, movement="squat", sure=True, repetitions=())
    judged = SetQuality(quality, fine_rehab, "model", None, None)
    page = page_of(replace(content, assessment=replace(content.assessment, set_quality=judged)))
    assert f"{correct:.0%} likely done correctly" in page
    assert f"of 5, {level}: among virtual patients" in page
    assert ("These two disagree" in page) is disagree


def test_half_the_pace_is_named_and_twice_the_pace_too() -> None:
    assert any(sentence.startswith("Slower") for sentence in words(report_of(done(None, tempo=0.5))))
    assert any(sentence.startswith("Hurried") for sentence in words(report_of(done(None, tempo=2.0))))


def test_the_real_squats_lack_their_last_way_back(data: Path, tmp_path: Path) -> None:
    from appliance.pose import record_pose
    from hal.registry import build_camera, build_pose

    camera = build_camera({"driver": "video", "file": str(data / "video" / "squats.mp4")})
    pose = build_pose({"driver": "mediapipe"})
    camera.open()
    pose.open()
    squats = record_pose(camera, pose).recording
    camera.close()
    pose.close()
    content = content_of(
        Taken(Path("squats.csv"), squats, "squat"), squats.between(0.0, 4.6), "first", exercise_by_id("squat")
    )
    assert words(content)[0].startswith("Repetition 3 was not complete, of 3 begun")
    assert [row.number for row in content.rows] == [1, 2, 3]
    assert "the reference shows 1 repetition and this set 2" in page_of(content).lower()


def test_a_set_that_cannot_be_scored_says_why_and_has_no_pictures() -> None:
    still = shown()
    still = replace(still, positions=np.repeat(still.positions[:1], len(still), axis=0))
    page = page_of(report_of(still))
    assert "Not scored: no complete repetition was seen." in page
    assert "<svg" not in page


def test_a_page_fetches_nothing_and_runs_nothing_and_shows_markup_as_text() -> None:
    taken = Taken(Path("a.csv"), done(None), "shoulder_abduction", subject="<script>alert(1)</script>")
    page = page_of(content_of(taken, shown(), "<b>reference</b>", exercise_by_id("shoulder_abduction")))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;b&gt;reference" in page
    assert re.findall(r'(?:href|src)="(?!#|data:)[^"]*"|@import|url\((?!#|data:)', page) == []


def test_of_many_repetitions_the_first_the_farthest_and_the_last_are_drawn() -> None:
    good, bad = shown(repetitions=3), done(Impairment(completeness={"left_arm": 2}))
    joined = recording_of(
        np.concatenate([one.times + start for one, start in ((good, 0.0), (bad, 20.0), (good, 40.0))]),
        np.concatenate([good.positions, bad.positions, good.positions]),
    )
    rows = report_of(joined).rows
    assert len(rows) == 4
    assert (rows[0].number, rows[-1].number) == (1, 8)
    assert next(row.number for row in rows if row.farthest) in (4, 5)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two sets of one subject on two days, one of somebody else, and what is no session; with the reference."""
    write_skeleton_csv(tmp_path / "reference.csv.gz", shown())
    digest = digest_of(tmp_path / "reference.csv.gz")
    for day, subject in ((0, "p-1"), (1, "p-1"), (1, "p-2")):
        recording = done(Impairment(completeness={"left_arm": 2 + day}))
        started = BEGAN + timedelta(days=day)
        metadata = SessionMetadata(
            session=f"{subject}-{day}", index=0, exercise="shoulder_abduction", side="left", subject=subject,
            reference=digest, started=started.isoformat(), software="rehabbox", camera="camera",
        )  # fmt: skip
        writer = SessionWriter.open(metadata.file_in(tmp_path), metadata)
        for time, positions, confidence in zip(recording.times, recording.positions, recording.confidence, strict=True):
            stamp_ns = int(time * 1e9)
            writer.add_skeleton(stamp_ns, stamp_ns, positions, confidence)
        writer.finish()
    (tmp_path / "broken.mcap").write_bytes(b"no session")
    return tmp_path


def test_when_a_set_began_is_told_in_utc_whatever_zone_the_file_names(archive: Path) -> None:
    began = BEGAN.astimezone(timezone(timedelta(hours=2))).isoformat()
    assert _instant(began).isoformat() == BEGAN.isoformat()  # type: ignore[union-attr]
    assert _instant("0001-01-01T00:00:00+14:00") is None


def test_earlier_sets_are_the_same_persons_and_older(archive: Path) -> None:
    today = read_taken(archive / "p-1-1" / "00_shoulder_abduction.mcap")
    (earlier,) = earlier_than(today, archive)
    assert (earlier.subject, earlier.started) == ("p-1", BEGAN)


def test_the_command_finds_the_sessions_own_reference_and_prints_as_well(
    archive: Path, command: Callable[..., Any]
) -> None:
    session = archive / "p-1-1" / "00_shoulder_abduction.mcap"
    out = archive / "r.html"
    done = command("report", session, "--references", archive, "--earlier", archive, "--json", "--out", out)
    assert done.returncode == 0
    assert json.loads(done.stdout)["scored"] is True
    page = out.read_text("utf-8")
    assert "subject p-1" in page
    assert "2026-11-03 09:00 UTC" in page
    assert "with 1 earlier set" in page
    assert png_of(page).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["reference.csv.gz", "--out", "r.docx"], ".docx"),
        (["reference.csv.gz", "--out", "r.html"], "--exercise"),
        (["reference.csv.gz", "--exercise", "squat", "--out", "r.html"], "--reference"),
        (["broken.mcap", "--exercise", "squat", "--out", "r.html"], "broken.mcap"),
        (["p-1-1/00_shoulder_abduction.mcap", "--references", "p-1-1", "--out", "r.html"], "--reference"),
    ],
)
def test_bad_input_is_one_line(
    archive: Path, arguments: list[str], named: str, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Any]
) -> None:
    monkeypatch.chdir(archive)
    done = command("report", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert named in done.stderr
    assert not (archive / "r.html").exists()
