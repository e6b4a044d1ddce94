"""Calibration: ranks, the search for the angle, folds over persons, the file and the pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.errors import ManifestError, SettingsError
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.calibration import Point, balanced, calibrate, correlation_curves, exercise_scales
from appliance.scoring.calibration_file import Source, read_calibration
from appliance.scoring.ranks import auc, spearman
from appliance.skeleton.standard import Recording

SOURCE = Source(manifest="m", recordings="r", rows=0, failed=0, persons=0, exercises=0, software="0")


def triples(*orders: tuple[int, ...]) -> list[Point]:
    """One (exercise, person) per order, its three levels with pose in that order and no dynamics."""
    return [
        Point("e", f"P{number:02}", "", float(level), float(pose), 0.0, 1.0)
        for number, order in enumerate(orders)
        for level, pose in enumerate(order)
    ]


def test_44_triples_with_two_adjacent_swaps_give_the_papers_figure() -> None:
    points = triples(*[(0, 1, 2)] * 42, (1, 0, 2), (0, 2, 1))
    found, _ = calibrate(points, 11, SOURCE)
    assert round(found.spearman, 3) == 0.977
    assert found.phi_deg == 0.0


def test_ties_get_midranks_and_a_constant_ranks_nothing() -> None:
    assert spearman(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])) == pytest.approx(np.sqrt(3) / 2)
    assert spearman(np.array([1.0, 1.0, 1.0]), np.array([0.0, 1.0, 2.0])) == 0.0
    assert auc(np.array([0.0, 1.0]), np.array([1.0, 2.0])) == pytest.approx(0.875)


def test_the_smallest_of_equally_good_angles_is_kept() -> None:
    """Level 1's pose is wrong by 1 and its dynamics right by 0.1: from just above 45 degrees on D ranks them."""
    points = [Point("e", "A", "", 0.0, 1.0, 0.0, 1.0), Point("e", "A", "", 1.0, 0.0, 0.1, 1.0)]
    found, curves = calibrate(points, 11, SOURCE)
    assert found.phi_deg == 46.0
    assert curves.mean[:45] == pytest.approx(-1.0)
    assert balanced(points, 90.0) == pytest.approx([0.0, 1.0])


def test_no_person_is_in_both_sides_of_a_fold_and_all_are_held_out_once() -> None:
    rng = np.random.default_rng(1)
    points = [
        Point(exercise, f"P{person:02}", "", float(level), level + rng.normal(), 0.1 * rng.normal(), 1.0)
        for exercise in "ab"
        for person in range(7)
        for level in range(3)
    ]
    found, curves = calibrate(points, 3, SOURCE)
    assert sorted(name for fold in found.folds for name in fold.persons) == [f"P{n:02}" for n in range(7)]
    for fold in found.folds:
        outside = [row for row, (_, who, _) in enumerate(curves.groups) if who not in fold.persons]
        inside = [row for row, (_, who, _) in enumerate(curves.groups) if who in fold.persons]
        assert fold.phi_deg == int(np.argmax(curves.correlations[outside].mean(axis=0).round(12)))
        assert fold.spearman == pytest.approx(curves.correlations[inside, fold.phi_deg].mean())


def test_a_scale_is_the_median_length_of_the_exercises_points() -> None:
    points = [Point("e", "A", "", 0.0, 3.0, 0.4, 1.0), Point("e", "A", "", 1.0, 1.0, 0.0, 1.0)]
    assert exercise_scales(points) == {"e": pytest.approx(3.0)}


def test_one_level_alone_cannot_be_ranked() -> None:
    with pytest.raises(ManifestError, match="two levels"):
        correlation_curves([Point("e", "A", "", 0.0, 1.0, 0.0, 1.0)])


@pytest.fixture
def archive(tmp_path: Path, raising: Callable[..., Recording]) -> Path:
    """Three persons who raise the arms less at each level."""
    lines = ["file,exercise,person,level,reference"]
    write_skeleton_csv(tmp_path / "reference.csv", raising(60))
    for person in range(3):
        for level in range(3):
            name = f"{person}_{level}.csv"
            write_skeleton_csv(tmp_path / name, raising(60 + person, left=1.0 - 0.2 * level - 0.01 * person))
            lines.append(f"{name},raise,P{person},{level},reference.csv")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(*arguments: object) -> dict[str, object]:
    result = CliRunner().invoke(rehabbox, [str(a) for a in arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    document = json.loads(result.stdout)
    assert isinstance(document, dict)
    return document


def test_a_calibration_serves_score_and_names_its_data(archive: Path) -> None:
    out = archive / "calibration.json"
    printed = run("calibrate", archive / "manifest.csv", "--out", out, "--folds", 3, "--json")
    assert set(printed) == {"phi_deg", "scales", "spearman", "folds"}
    assert printed["spearman"] == pytest.approx(1.0)
    kept, digest = read_calibration(out)
    assert (kept.source.rows, kept.source.persons, kept.source.failed) == (9, 3, 0)
    assert kept.source.manifest.startswith("sha256:")
    assert digest.startswith("sha256:")
    scored = run("score", archive / "reference.csv", archive / "0_2.csv", "--calibration", out, "--json")
    assert scored["phi_deg"] == printed["phi_deg"]
    assert scored["dissimilarity"] is not None


def test_all_pictures_are_drawn(archive: Path) -> None:
    pytest.importorskip("sklearn")
    run("calibrate", archive / "manifest.csv", "--plots", archive / "pictures", "--json")
    pictures = sorted(path.name for path in (archive / "pictures").iterdir())
    assert pictures == [
        "correlation.png", "distribution.png", "folds.png", "intensity.png", "plane.png", "ranking.png",
    ]  # fmt: skip
    assert all((archive / "pictures" / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


@pytest.mark.parametrize(
    ("cell", "message"), [("x", "row 2: level 'x' is not a number"), ("nan", "row 2: level 'nan' is not a number")]
)
def test_a_level_that_is_no_number_is_named(archive: Path, cell: str, message: str) -> None:
    text = (archive / "manifest.csv").read_text().replace("0_0.csv,raise,P0,0", f"0_0.csv,raise,P0,{cell}")
    (archive / "manifest.csv").write_text(text)
    result = CliRunner().invoke(rehabbox, ["calibrate", str(archive / "manifest.csv")], standalone_mode=False)
    assert isinstance(result.exception, ManifestError)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    ("content", "message"), [("{", "not JSON"), ('{"version": 2}', "version"), ('{"version": 1}', "phi_deg")]
)
def test_what_is_no_calibration_file_is_said_so(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        read_calibration(path)
