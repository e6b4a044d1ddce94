"""What the classifier says stands in batch results and in a set's result; a broken one stops neither."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance import batch
from appliance.assessment import assess
from appliance.batch_manifest import read_manifest
from appliance.doctor import _model, _tried
from appliance.exercises import exercise_by_id
from appliance.quality.judgement import LEVELS_FILE, OTHER, shipped_judge, usable_judge
from appliance.quality.levels import FEWEST, Distribution, distribution_of, write_distribution
from appliance.quality.score import FineRehabScore
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.body import body_of
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.virtual.patient import reference


def performed(repetitions: int) -> Recording:
    return recording_of(*reference("shoulder_abduction", "left", repetitions=repetitions))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    write_skeleton_csv(tmp_path / "one.csv.gz", performed(1))
    write_skeleton_csv(tmp_path / "two.csv.gz", performed(2))
    rows = "two.csv.gz,shoulder_abduction,one.csv.gz\ntwo.csv.gz,their_own,one.csv.gz\nnone.csv,squat,one.csv.gz\n"
    (tmp_path / "manifest.csv").write_text("file,exercise,reference\n" + rows)
    return tmp_path


def rows_of(archive: Path) -> list[dict[str, str]]:
    manifest = read_manifest(archive / "manifest.csv")
    batch.write_results(archive / "r.csv", manifest, batch.score_all(batch.tasks_of(manifest)))
    return list(csv.DictReader((archive / "r.csv").read_text("utf-8").splitlines()))


@pytest.mark.usefixtures("shipped")
def test_batch_rows_say_quality_level_movement_and_dimensions(archive: Path) -> None:
    first, second, failed = rows_of(archive)
    for row in (first, second):
        assert row["status"] == "ok"
        assert 0.0 <= float(row["quality"]) <= 1.0
        assert int(row["level_predicted"]) in range(5)
        assert row["movement_predicted"]
        assert all(0.0 <= float(row[name]) <= 4.0 for name in ("completeness", "correction", "smoothness"))
    assert not any(failed[name] for name in batch.JUDGED)


def test_without_a_model_its_columns_are_there_and_empty(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHABBOX_MODELS", str(tmp_path / "nowhere"))
    shipped_judge.cache_clear()
    try:
        first, *_ = rows_of(archive)
        assert first["status"] == "ok"
        assert [first[name] for name in batch.JUDGED] == [""] * len(batch.JUDGED)
    finally:
        shipped_judge.cache_clear()


@pytest.mark.usefixtures("shipped")
def test_a_set_is_judged_repetition_by_repetition() -> None:
    exercise = exercise_by_id("shoulder_abduction")
    assessment = assess(performed(3), performed(2), exercise, judge=shipped_judge(), side="left")
    judged = assessment.set_quality
    assert judged is not None
    assert judged.model == "known 1"
    assert len(judged.quality.repetitions) == 3
    assert judged.quality.quality == pytest.approx(
        sum(each.quality for each in judged.quality.repetitions) / 3, abs=1e-9
    )


@pytest.mark.usefixtures("shipped")
def test_a_set_that_cannot_be_judged_is_scored_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    whole, shown = performed(2), performed(2)
    positions = whole.positions.copy()
    positions[:, INDEX["left_shoulder"]] = np.nan
    part, exercise = recording_of(whole.times, positions), exercise_by_id("shoulder_abduction")
    for patient, reference_set, said in (
        (part, shown, "the repetition at"),
        (shown, part, "the set is not judged"),
    ):
        caplog.clear()
        assessment = assess(patient, reference_set, exercise, judge=shipped_judge(), side="left")
        assert (assessment.reason, assessment.set_quality) == (None, None)
        assert said in caplog.text
        assert "left_shoulder" in caplog.text


def test_a_level_names_its_scores_and_weights_where_the_classifier_is_sure_of_nothing(
    shipped: Path, described: Callable[..., dict[str, Any]]
) -> None:
    exercise = exercise_by_id("shoulder_abduction")
    assert exercise.assessment is not None
    scores = [FineRehabScore(value, {}, exercise.assessment.version) for value in np.linspace(0.0, 4.0, FEWEST)]
    write_distribution(shipped / LEVELS_FILE, distribution_of({exercise.id: scores}, "made up in a test"))
    unsure = described(limits={"same": 1e6, "strangeness": 1e6})
    (shipped / "quality.json").write_text(json.dumps(unsure))
    judged = assess(performed(2), performed(2), exercise, judge=shipped_judge(), side="left").set_quality
    assert judged is not None
    assert (judged.quality.movement, judged.quality.sure, judged.fine_rehab) == (OTHER, False, None)
    assert judged.weights == exercise.assessment.version
    assert judged.levels == "sha256:" + sha256((shipped / LEVELS_FILE).read_bytes()).hexdigest()


def test_other_levels_make_an_interrupted_batch_begin_anew(shipped: Path, archive: Path) -> None:
    def noted() -> dict[int, object]:
        shipped_judge.cache_clear()
        tasks = batch.tasks_of(read_manifest(archive / "manifest.csv"))
        with suppress(KeyboardInterrupt), batch.journal_of(archive / "r.csv", tasks, shipped_judge()) as journal:
            before = dict(journal.known)
            journal.note(0, {})
            raise KeyboardInterrupt
        return before

    assert noted() == {}
    assert noted() == {0: {}}
    write_distribution(shipped / LEVELS_FILE, Distribution(origin="made up in a test", movements={}))
    assert noted() == {}


def test_a_damaged_model_costs_the_view_and_not_the_score_and_doctor_says_so(shipped: Path) -> None:
    (shipped / "quality.tflite").write_bytes(b"")
    assert usable_judge() is None
    check = _tried("model", _model, "Install the software again.")
    assert not check.ok
    assert "quality.tflite" in check.detail


def run_batch(archive: Path, command: Callable[..., Any]) -> tuple[Any, list[dict[str, str]]]:
    """What the command answered and the rows it wrote."""
    shipped_judge.cache_clear()
    done = command("batch", archive / "manifest.csv", "--out", archive / "r.csv")
    return done, list(csv.DictReader((archive / "r.csv").read_text("utf-8").splitlines()))


@pytest.mark.parametrize("name", ["quality.tflite", "quality.json"])
def test_a_batch_with_a_damaged_model_is_scored_and_says_that_it_is_not_judged(
    shipped: Path, archive: Path, command: Callable[..., Any], name: str
) -> None:
    done, judged = run_batch(archive, command)
    assert (done.returncode, done.stderr) == (0, "")
    whole = (shipped / name).read_bytes()
    (shipped / name).write_bytes(whole[: len(whole) // 2])
    done, rows = run_batch(archive, command)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{shipped / name}: is damaged" in done.stderr
    assert "install" in done.stderr
    assert "none judged" in done.stdout
    assert rows == [row | dict.fromkeys(batch.JUDGED, "") for row in judged]


@pytest.mark.usefixtures("shipped")
def test_a_batch_says_of_how_many_scored_rows_there_is_no_quality_and_why(
    archive: Path, command: Callable[..., Any]
) -> None:
    whole = performed(2)
    positions = whole.positions.copy()
    positions[:, INDEX["left_shoulder"]] = np.nan
    write_skeleton_csv(archive / "two.csv.gz", recording_of(whole.times, positions))
    done, rows = run_batch(archive, command)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    assert (
        "no quality for 2 of the scored rows; the first, two.csv.gz: its size is unknown: left_shoulder" in done.stderr
    )
    assert [row["quality"] for row in rows] == ["", "", ""]
    assert all(row["mean_distance"] for row in rows[:2])


@pytest.mark.usefixtures("shipped")
def test_who_comes_into_view_late_is_judged_from_then_on(archive: Path, command: Callable[..., Any]) -> None:
    whole = performed(1)
    still = np.repeat(whole.positions[:1], 60, axis=0)
    turned = np.concatenate([still, whole.positions]) @ _turned(40.0).T
    times = np.arange(len(turned)) / 30.0
    write_skeleton_csv(archive / "two.csv.gz", recording_of(times, turned))
    from_then_on = body_of(recording_of(times[60:], turned[60:]))
    _, (seen, *_) = run_batch(archive, command)
    turned[:60] = np.nan
    write_skeleton_csv(archive / "two.csv.gz", recording_of(times, turned))
    body = body_of(recording_of(times, turned))
    np.testing.assert_allclose(body.about_pelvis[60:], from_then_on.about_pelvis, atol=0.01)
    np.testing.assert_allclose(body.rise[60:], from_then_on.rise, atol=0.01)
    done, (late, *_) = run_batch(archive, command)
    assert (done.stderr, late["status"]) == ("", "ok")
    assert float(late["quality"]) == pytest.approx(float(seen["quality"]), abs=0.02)
    assert late["movement_predicted"] == seen["movement_predicted"]


def _turned(degrees: float) -> np.ndarray[Any, Any]:
    """About the vertical."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])


def test_a_batch_with_damaged_levels_judges_by_the_network_and_says_so(
    shipped: Path, archive: Path, command: Callable[..., Any]
) -> None:
    _, judged = run_batch(archive, command)
    (shipped / LEVELS_FILE).write_text("{")
    done, rows = run_batch(archive, command)
    assert (done.returncode, rows) == (1, judged)
    assert done.stderr.count("\n") == 1
    assert "levels.json" in done.stderr
    assert "level_predicted" in done.stderr


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 1, "origin": "x", "movements": {"squat": {}}}'])
def test_damaged_levels_cost_the_levels_alone_and_are_told_once(
    shipped: Path, archive: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    before = rows_of(archive)
    (shipped / LEVELS_FILE).write_text(content)
    shipped_judge.cache_clear()
    exercise = exercise_by_id("shoulder_abduction")
    for _ in range(2):
        judged = assess(performed(2), performed(2), exercise, judge=usable_judge(), side="left").set_quality
    assert judged is not None
    assert judged.fine_rehab is not None
    assert (judged.fine_rehab.level, judged.levels) == (None, None)
    assert "levels.json: is not a distribution of scores" in str(judged.fine_rehab.no_level)
    assert rows_of(archive) == before, "the network's level, as without the file"
    (said,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert "levels.json" in said
    check = _tried("model", _model, "Install the software again.")
    assert not check.ok
    assert "levels.json" in check.detail
