"""Five levels by the stored distribution of scores, and an honest reason where there is none."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.errors import SettingsError
from appliance.quality.levels import Distribution, distribution_of, place, read_distribution, write_distribution
from appliance.quality.parts import LEVELS
from appliance.quality.score import FineRehabScore

VERSION = "sha256:" + "5" * 64


def scores(values: Any) -> list[FineRehabScore]:
    return [FineRehabScore(float(value), {}, VERSION) for value in values]


@pytest.fixture
def distribution() -> Distribution:
    values = np.random.default_rng(3).beta(5, 2, 500) * 4
    return distribution_of({"squat": scores(values), "marching": scores(values / 2)}, "made up in a test")


def level(value: float, exercise: str, distribution: Distribution) -> str:
    found = place(scores([value])[0], exercise, distribution)
    assert found.level is not None
    assert found.no_level is None
    return found.level


def test_each_level_holds_a_fifth_of_the_scores_it_was_made_from(distribution: Distribution) -> None:
    values = np.random.default_rng(3).beta(5, 2, 500) * 4
    assert Counter(level(value, "squat", distribution) for value in values) == dict.fromkeys(LEVELS, 100)


def test_a_higher_score_never_has_a_lower_level(distribution: Distribution) -> None:
    levels = [LEVELS.index(level(value, "squat", distribution)) for value in np.linspace(0, 4, 401)]  # type: ignore[arg-type]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, 4)


def test_each_movement_has_its_own_bounds(distribution: Distribution) -> None:
    assert level(1.9, "squat", distribution) == "poor"
    assert level(1.9, "marching", distribution) == "good"


def test_the_best_score_is_good_even_where_many_reach_it() -> None:
    distribution = distribution_of({"squat": scores([4.0] * 20 + [2.0] * 10)}, "made up in a test")
    assert level(4.0, "squat", distribution) == "good"
    assert level(1.9, "squat", distribution) == "poor"


def test_equal_scores_share_a_level_and_a_small_error_moves_none() -> None:
    values = np.repeat([1.0, 2.0, 3.0, 3.5, 4.0], [15, 25, 20, 10, 30])
    distribution = distribution_of({"squat": scores(values)}, "made up in a test")
    assert distribution.movements["squat"].bounds == pytest.approx((1.5, 2.5, 3.25, 3.75))
    for value, expected in zip((1.0, 2.0, 3.0, 3.5, 4.0), LEVELS, strict=True):
        assert {level(value + error, "squat", distribution) for error in (-0.2, 0.0, 0.2)} == {expected}


def test_no_level_says_why(distribution: Distribution) -> None:
    score = scores([3.0])[0]
    for found, reason in (
        (place(score, "squat", None), "no distribution of scores is installed"),
        (place(score, "heel_raise", distribution), "does not hold heel_raise"),
        (place(replace(score, weights="sha256:" + "6" * 64), "squat", distribution), "other weights for squat"),
    ):
        assert found.level is None
        assert reason in str(found.no_level)


def test_too_few_scores_or_mixed_weights_make_no_distribution() -> None:
    with pytest.raises(SettingsError, match="squat: 24 scores are too few"):
        distribution_of({"squat": scores(range(24))}, "made up in a test")
    mixed = [*scores([1.0] * 25), FineRehabScore(1.0, {}, "sha256:" + "6" * 64)]
    with pytest.raises(SettingsError, match="squat: its scores were made with 2 versions of the weights"):
        distribution_of({"squat": mixed}, "made up in a test")


def test_the_file_comes_back_as_it_was_with_its_digest(distribution: Distribution, tmp_path: Path) -> None:
    path = tmp_path / "levels.json"
    write_distribution(path, distribution)
    found, digest = read_distribution(path)
    assert found == distribution
    write_distribution(path, distribution_of({"squat": scores(np.linspace(0, 4, 50))}, "other data"))
    assert read_distribution(path)[1] != digest
    assert [file.name for file in tmp_path.iterdir()] == ["levels.json"]


def content(**changes: Any) -> str:
    """Of a file, with these keys of its own or of its movement changed."""
    squat = {"bounds": [1, 2, 3, 4], "scores": 25, "weights": VERSION}
    whole = {"version": 1, "origin": "made up in a test", "movements": {"squat": squat}}
    for name, value in changes.items():
        (squat if name in squat else whole)[name] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [
        (content()[:100], "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "content"),
        (content(origin=""), "origin"),
        (content(version=2), "version"),
        (content(bounds=[1, 2, 3]), "movements.squat.bounds"),
        (content(bounds=[1, 3, 2, 4]), "the bounds must not fall"),
        (content(bounds=[1, 2, 3, 5]), "movements.squat.bounds.3"),
        (content(scores=3), "movements.squat.scores"),
    ],
    ids=lambda text: text[:30],
)
def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path, damaged: str, complaint: str) -> None:
    path = tmp_path / "levels.json"
    path.write_text(content())
    assert read_distribution(path)[0].movements["squat"].scores == 25
    path.write_text(damaged)
    with pytest.raises(SettingsError) as error:
        read_distribution(path)
    assert str(error.value).startswith(f"{path}: ")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.json: No such file"):
        read_distribution(tmp_path / "nothing.json")
