"""Each system learns what can be learned, and the figures say what it did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from appliance.skeleton.standard import BONES, INDEX
from models.training.baselines.augmentation import AUGMENTATIONS, NOISE, augmented
from models.training.baselines.classics import CLASSICS, MOST_FREQUENT, asked_of, measured
from models.training.baselines.graph import partitions
from models.training.baselines.problems import Asked
from models.training.baselines.runs import Task, append, read
from models.training.baselines.samples import OTHER_FAMILIES, VIRTUAL, Samples

ROOT = Path(__file__).parents[4]
TRAINING = ROOT / ".venv-train/bin/python"
ONE_OF_EACH = """
import sys
from pathlib import Path
from models.training.baselines import fit
from models.training.baselines.runs import append

samples = fit.Samples.load(Path(sys.argv[1]))
for system in fit.NETWORKS:
    for run in fit.measured(system, samples, fit.Asked("movement", "virtual", "3:1"), "none", epochs=25):
        append(Path(sys.argv[2]), run)
"""
TASKS: tuple[Task, ...] = ("movement", "level")


@pytest.mark.parametrize("system", [name for name in CLASSICS if name != MOST_FREQUENT])
def test_every_classifier_learns_movement_and_level_from_features_that_tell(system: str, samples: Samples) -> None:
    for task in TASKS:
        of = {run.source: run for run in measured(system, samples, Asked(task, VIRTUAL, "3:1"))}
        assert set(of) == {VIRTUAL, OTHER_FAMILIES}
        assert min(run.accuracy for run in of.values()) > 0.7, task


def test_one_classifier_a_movement_learns_its_levels(samples: Samples) -> None:
    of = measured("naive Bayes", samples, Asked("level by movement", VIRTUAL, "five folds"))
    assert {run.source for run in of} == {VIRTUAL}
    assert of[0].accuracy > 0.7


def test_the_most_frequent_class_is_right_by_chance(samples: Samples) -> None:
    (run,) = measured(MOST_FREQUENT, samples, Asked("movement", "real", "3:1"))
    assert run.accuracy == pytest.approx(1 / 3)


def test_confusion_and_accuracy_by_movement_are_of_the_same_answers(samples: Samples) -> None:
    (run,) = measured("naive Bayes", samples, Asked("movement", "real", "five folds"))
    counts = np.array(run.confusion)
    assert counts.sum() == len(samples.of("real"))
    for index, movement in enumerate(run.classes):
        assert run.by[movement] == pytest.approx(counts[index, index] / counts[index].sum())


def test_runs_survive_being_stored(samples: Samples, tmp_path: Path) -> None:
    runs = measured("naive Bayes", samples, Asked("level", VIRTUAL, "3:1"))
    for run in runs:
        append(tmp_path / "runs.jsonl", run)
    assert read(tmp_path / "runs.jsonl") == runs


def test_nobody_is_asked_about_whole_sets_where_there_are_none(samples: Samples) -> None:
    given = {(asked.source, asked.given) for asked in asked_of(samples, whole_grid=False)}
    assert (VIRTUAL, "whole sets") in given
    assert ("real", "whole sets") not in given


def test_augmentation_rotates_stretches_and_disturbs_each_as_named(samples: Samples) -> None:
    rng = np.random.default_rng(0)
    courses = samples.course[:40].astype(np.float32)
    np.testing.assert_array_equal(augmented(courses, "none", rng), courses)

    def lengths(of: np.ndarray) -> np.ndarray:
        return np.linalg.norm(of[:, :, 1:] - of[:, :, :1], axis=3)

    turned = augmented(courses, "rotation", rng)
    np.testing.assert_allclose(lengths(turned), lengths(courses), atol=1e-5)
    assert np.abs(turned - courses).max() > 0.05

    assert (augmented(courses, "noise", rng) - courses).std() == pytest.approx(NOISE, rel=0.05)

    before, after = (np.diff(of[0, :, :, 1], axis=0) for of in (courses, augmented(courses, "transformation", rng)))
    of_one = (after / np.where(before, before, np.nan))[np.abs(before) > 0.02]
    np.testing.assert_allclose(of_one, of_one[0], rtol=1e-3)
    assert AUGMENTATIONS["all"] == {"rotation", "transformation", "noise"}


def test_the_graph_of_st_gcn_joins_each_joint_with_itself_and_its_bones_alone() -> None:
    own, nearer, further = partitions()
    linked = (own + nearer + further) > 0
    assert linked.sum() == 17 + 2 * len(BONES)
    assert all(linked[INDEX[a], INDEX[b]] and linked[INDEX[b], INDEX[a]] for a, b in BONES)
    np.testing.assert_allclose((own + nearer + further).sum(axis=0), 1.0, rtol=1e-6)
    assert nearer[INDEX["left_elbow"], INDEX["left_wrist"]] > 0
    assert further[INDEX["left_wrist"], INDEX["left_elbow"]] > 0
    assert nearer[:, INDEX["spine"]].sum() == 0  # nothing is nearer to the centre than the centre


def test_both_networks_learn_movements_in_the_training_environment(samples: Samples, tmp_path: Path) -> None:
    if not TRAINING.exists():
        pytest.skip("needs TensorFlow: run tools/setup-training, which makes .venv-train (1.5 GB)")
    samples.of(VIRTUAL).save(tmp_path / "samples.npz")
    done = subprocess.run(
        [TRAINING, "-c", ONE_OF_EACH, tmp_path / "samples.npz", tmp_path / "runs.jsonl"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = read(tmp_path / "runs.jsonl")
    assert [run.system for run in runs] == ["ST-GCN", "UNIK"]
    assert min(run.accuracy for run in runs) > 0.6  # a third by chance
