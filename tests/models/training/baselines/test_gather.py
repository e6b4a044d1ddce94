"""Recordings and virtual patients become repetitions with what is known of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from appliance.exercises import load_exercises
from appliance.quality.levels import LEVELS, Distribution, distribution_of
from appliance.quality.score import Grades, score
from hal.virtual.cases import cases
from models.training.baselines.gather import REPETITIONS, real_samples, samples_of
from models.training.baselines.kinematics import course_of, features_of
from models.training.baselines.samples import FRAMES, VIRTUAL


@pytest.fixture(scope="module")
def fifths() -> Distribution:
    """Of made-up scores, evenly spread."""
    scores = {}
    for name, exercise in load_exercises().items():
        if exercise.assessment is not None:
            graded = [Grades(np.full((3, 5), grade)) for grade in np.linspace(0.0, 4.0, 30)]
            scores[name] = [score(grades, exercise.assessment, "left") for grades in graded]
    return distribution_of(scores, "evenly spread")


def test_every_repetition_of_a_virtual_patient_is_a_sample_of_one_person_and_level(fifths: Distribution) -> None:
    drawn = list(cases("training", 6, 1, (REPETITIONS, REPETITIONS), strange=0.0))
    found = samples_of(VIRTUAL, drawn, fifths)
    assert set(Counter(found.person.tolist()).values()) == {REPETITIONS}
    assert set(found.exercise) == {case.exercise for case in drawn}
    assert all(found.label[i] == LEVELS[-1 - found.level[i]] for i in range(len(found)))
    assert found.course.shape == (len(found), FRAMES, 17, 3)
    assert np.isfinite(found.features).all()


def test_good_grades_are_near_level_0_and_bad_ones_near_level_4(fifths: Distribution) -> None:
    drawn = list(cases("training", 30, 2, (1, 1), strange=0.0))
    found = samples_of(VIRTUAL, drawn, fifths)
    mean = {f"{VIRTUAL}/{index:05}": case.grades.mean() for index, case in enumerate(drawn)}
    grades = [mean[person] for person in found.person.tolist()]
    assert np.corrcoef(grades, found.level)[0, 1] < -0.5


def test_a_repetition_done_twice_as_slowly_has_the_same_course_and_half_the_speed() -> None:
    base = np.random.default_rng(0).normal(size=(1, 17, 3))
    quick, slow = (base + np.sin(np.linspace(0.0, 3.0, n))[:, None, None] for n in (60, 119))
    np.testing.assert_allclose(course_of(quick), course_of(slow), atol=5e-3)
    fast, unhurried = features_of(quick), features_of(slow)
    assert unhurried[-1] == pytest.approx(2.0 * fast[-1], rel=0.02)
    mean_speed = slice(-52, -35)  # logarithms; mean speed, greatest speed and mean jerk of 17 joints, then the duration
    np.testing.assert_allclose(unhurried[mean_speed], fast[mean_speed] - np.log(2.0), atol=0.05)


def test_real_recordings_are_samples_by_person_movement_and_level(data: Path, tmp_path: Path) -> None:
    source = data / "ui-prmd-kinect2"
    header, *lines = (source / "manifest.csv").read_text().splitlines()
    wanted = [line for line in lines if line.startswith("deep_squat/S01_0")]
    folder = tmp_path / "ui-prmd-kinect2"
    folder.mkdir()
    (folder / "deep_squat").symlink_to(source / "deep_squat")
    (folder / "manifest.csv").write_text("\n".join([header, *wanted]) + "\n")
    found = real_samples(folder / "manifest.csv")
    assert len(found) == len(wanted) > 0
    assert set(found.person) == {"ui-prmd-kinect2/S01"}
    assert set(found.set) == {f"ui-prmd-kinect2/deep_squat/S01/{level}" for level in (0, 1)}
    assert set(found.label) == {"correct", "incorrect"}
