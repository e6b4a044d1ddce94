"""What a result says of FineRehab's assessment."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from appliance.errors import NotScorableError
from appliance.exercises import exercise_by_id
from appliance.messages.result import FineRehab
from appliance.quality.levels import distribution_of
from appliance.quality.report import fine_rehab
from appliance.quality.score import Grades, score

SQUAT = exercise_by_id("squat")


def test_it_holds_every_grade_the_score_and_the_level() -> None:
    assert SQUAT.assessment is not None
    rng = np.random.default_rng(1)
    scored = [score(Grades(rng.uniform(0, 4, (3, 5))), SQUAT.assessment, "both") for _ in range(100)]
    distribution = distribution_of({"squat": scored}, "made up in a test")
    values = np.full((3, 5), 3.5)
    values[1, 1] = np.nan
    found = fine_rehab(Grades(values), SQUAT, "both", distribution)
    document = json.loads(found.model_dump_json())
    assert document["score"] == pytest.approx(3.5)
    assert document["dimensions"] == pytest.approx({"completeness": 3.5, "correction": 3.5, "smoothness": 3.5})
    assert document["grades"]["correction"] == {
        "trunk": 3.5, "left_arm": None, "right_arm": 3.5, "left_leg": 3.5, "right_leg": 3.5,
    }  # fmt: skip
    assert document["level"] == "good"
    assert document["no_level"] is None


def test_without_a_distribution_it_has_a_score_and_says_why_there_is_no_level() -> None:
    found = fine_rehab(Grades(np.full((3, 5), 2.0)), SQUAT, "both", None)
    assert (found.score, found.level) == (pytest.approx(2.0), None)
    assert "no distribution" in str(found.no_level)


def test_an_exercise_without_weights_has_no_score() -> None:
    with pytest.raises(NotScorableError, match=r"squat: its file has no \[assessment\]"):
        fine_rehab(Grades(np.ones((3, 5))), SQUAT.model_copy(update={"assessment": None}), "both", None)


def test_neither_a_level_with_a_reason_nor_none_without_is_sent() -> None:
    found = fine_rehab(Grades(np.full((3, 5), 2.0)), SQUAT, "both", None)
    for changes in ({"level": "good"}, {"no_level": None}, {"score": 4.1}):
        with pytest.raises(ValidationError):
            FineRehab.model_validate(found.model_dump() | changes)
