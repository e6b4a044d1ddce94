"""The shipped files are checked before they are believed, and the network's numbers become what people read.

The network repeats its features, see conftest.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from appliance.errors import ModelError
from appliance.quality.judgement import AS_REFERENCE, NOT_SURE, OTHER, Judge, Judgement
from appliance.quality.model_file import read_model
from appliance.quality.network import Network
from appliance.quality.relative import CHANNELS, FEATURES, PHASES, Relative

STEP = 8.0 / 255.0 * 1.05
"""What one step of int8 is worth over -4..4."""


def compared(swapped: bool = False, **features: float) -> Relative:
    """Features by their place, as `f0`; all others 0."""
    vector = np.zeros(len(FEATURES), np.float32)
    for place, value in features.items():
        vector[int(place[1:])] = value
    return Relative(np.zeros((PHASES, len(CHANNELS)), np.float32), vector, swapped)


@pytest.fixture
def judged(installed: Path) -> Callable[[Relative], Judgement]:
    found = read_model(installed)
    assert found is not None
    return Judge(*found).judge_relative


def test_an_int8_network_repeats_what_it_is_given_to_a_step(installed: Path) -> None:
    rng = np.random.default_rng(0)
    vector = rng.uniform(-3.9, 3.9, len(FEATURES)).astype(np.float32)
    found = Network((installed / "quality.tflite").read_bytes()).run(
        {"sequence": np.zeros((PHASES, len(CHANNELS)), np.float32), "vector": vector}
    )
    repeated = np.concatenate([found[name] for name in ("correct", "same", "level", "grades", "movement")])
    np.testing.assert_allclose(repeated, vector[: len(repeated)], atol=1.5 * STEP)


def test_quality_is_calibrated_and_a_level_is_how_many_bounds_are_likely_passed(
    judged: Callable[[Relative], Judgement],
) -> None:
    found = judged(compared(f0=1.5, f2=3.0, f3=0.5, f4=-1.0, f5=-2.0, f69=3.0))
    assert found.quality == pytest.approx(1.0 / (1.0 + np.exp(-2.0)), abs=0.02)
    assert (found.level, found.movement, found.sure) == (2, "movement_3", True)


@pytest.mark.parametrize(
    ("features", "movement"),
    [({}, AS_REFERENCE), ({"f1": -2.0}, OTHER), ({"f100": 60.0}, NOT_SURE), ({"f100": 30.0, "f67": 2.0}, "movement_1")],
)
def test_what_the_classifier_does_not_know_it_does_not_name(
    judged: Callable[[Relative], Judgement], features: dict[str, float], movement: str
) -> None:
    found = judged(compared(**features))
    assert found.movement == movement
    assert found.sure == (movement not in (OTHER, NOT_SURE))


def test_grades_are_whole_and_belong_to_the_patients_own_sides(judged: Callable[[Relative], Judgement]) -> None:
    left_arm = {"f10": 3.0, "f11": 2.0, "f12": 1.0, "f13": -1.0}
    straight, mirrored = judged(compared(**left_arm)), judged(compared(swapped=True, **left_arm))
    assert straight.grades.of("completeness", "left_arm") == 3.0
    assert mirrored.grades.of("completeness", "right_arm") == 3.0
    assert mirrored.grades.of("completeness", "left_arm") == 0.0


def test_without_files_there_is_no_model(tmp_path: Path) -> None:
    assert read_model(tmp_path) is None


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"quality\.json: File name too long"):
        read_model(tmp_path / ("x" * 300))


Describe = Callable[..., dict[str, Any]]


def _cut(folder: Path, _described: Describe) -> None:
    whole = (folder / "quality.tflite").read_bytes()
    (folder / "quality.tflite").write_bytes(whole[: len(whole) // 2])


def _no_network(folder: Path, described: Describe) -> None:
    content = b"nothing that can be run"
    (folder / "quality.tflite").write_bytes(content)
    (folder / "quality.json").write_text(json.dumps(described(sha256=sha256(content).hexdigest())))


DAMAGES: dict[str, tuple[Callable[[Path, Describe], Any], str]] = {
    "cut short": (_cut, "quality.tflite: is damaged"),
    "no network": (_no_network, "quality.tflite: is not a network"),
    "gone": (lambda folder, _: (folder / "quality.tflite").unlink(), "quality.tflite: No such file"),
    "undescribed": (lambda folder, _: (folder / "quality.json").unlink(), "quality.json: No such file"),
    "no JSON": (lambda folder, _: (folder / "quality.json").write_text("{"), "quality.json: is damaged: not JSON"),
    "another release": (
        lambda folder, described: (folder / "quality.json").write_text(json.dumps(described(features=FEATURES[:-1]))),
        "trained on other inputs",
    ),
    "fewer movements": (
        lambda folder, described: (folder / "quality.json").write_text(json.dumps(described(movements=["squat"]))),
        "quality.tflite: takes or gives other numbers",
    ),
    "a value out of range": (
        lambda folder, described: (folder / "quality.json").write_text(json.dumps(described(clip=-1.0))),
        "quality.json: clip",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_and_the_file_named(installed: Path, described: Describe, damage: str) -> None:
    harm, says = DAMAGES[damage]
    harm(installed, described)
    with pytest.raises(ModelError, match="quality") as refused:
        read_model(installed)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
