"""The page says what was measured, and of what others it only reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from models.training.baselines.classics import asked_of, measured
from models.training.baselines.page import page_of
from models.training.baselines.pictures import draw_all
from models.training.baselines.runs import Run
from models.training.baselines.samples import Samples

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def runs(samples: Samples) -> list[Run]:
    """Of two classifiers, and of both as if they were a network."""
    found = [
        run
        for asked in asked_of(samples.where(samples.source != "real"), whole_grid=False)
        for system in ("naive Bayes", "most frequent class")
        for run in measured(system, samples, asked)
    ]
    return [*found, *(replace(run, system="UNIK", augmentation="all") for run in found if run.split == "3:1")]


def test_every_system_has_a_row_with_its_figure(runs: list[Run]) -> None:
    page = page_of(runs, [], 60.0)
    for run in runs[: len(runs) // 2]:
        rows = [line for line in page.splitlines() if f"| {run.split} | {run.given} | {run.system} |" in line]
        assert any(f"| {100 * run.accuracy:.1f} |" in row for row in rows), run


def test_a_data_set_without_a_name_of_ours_has_its_column_under_its_folders(samples: Samples, tmp_path: Path) -> None:
    real = samples.where(samples.source == "real")
    found = [run for asked in asked_of(real, whole_grid=False) for run in measured("naive Bayes", real, asked)]
    networks = [replace(run, system="UNIK", augmentation="all") for run in found if run.split == "3:1"]
    page = page_of([*found, *networks], [], 60.0)
    assert "| asked | split | given | system | real | FineRehab, other data |" in page
    assert "movement_confusions" in draw_all(tmp_path, [*found, *networks])


def test_the_page_that_is_there_has_the_words_of_the_template() -> None:
    words = (ROOT / "models/training/baselines/page.md").read_text("utf-8").replace("$$", "\0")
    page = (ROOT / "docs/baselines.md").read_text("utf-8").splitlines()
    assert [line for line in words.splitlines() if "$" not in line and line.replace("\0", "$") not in page] == []


def test_figures_of_others_are_marked_as_of_another_data_set(runs: list[Run]) -> None:
    page = page_of(runs, [], 60.0)
    for figure in ("92.63", "71.9"):
        (row,) = [line for line in page.splitlines() if figure in line]
        assert "on its own data" in row
    assert "another data set" in page


def test_pictures_are_small_and_those_without_data_are_left_out(runs: list[Run], tmp_path: Path) -> None:
    names = draw_all(tmp_path, runs)
    assert names == ["movement", "movement_confusions", "level", "level_confusions", "level_by_movement"]
    assert all(2_000 < (tmp_path / f"{name}.png").stat().st_size < 200_000 for name in names)
    assert draw_all(tmp_path, [run for run in runs if run.split == "five folds"]) == ["level_by_movement"]
