"""The noise floor: what the instructor differs from themself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from appliance.cli import rehabbox
from appliance.errors import NotScorableError, RecordingError
from appliance.recording.files import read_recording
from appliance.recording.skeleton_csv import write_skeleton_csv
from appliance.scoring.compare import score
from appliance.scoring.noise import floor_of, floor_of_reference, within
from appliance.scoring.options import ScoringOptions
from appliance.skeleton.standard import Recording, recording_of

Raising = Callable[..., Recording]
OPTIONS = ScoringOptions(phi_deg=10.0)


def repeated(parts: list[Recording]) -> Recording:
    """One after the other, with a second of rest between."""
    positions = []
    for part in parts:
        positions += [part.positions, np.repeat(part.positions[-1:], 30, axis=0)]
    joined = np.concatenate([np.repeat(parts[0].positions[:1], 30, axis=0), *positions])
    return recording_of(np.arange(len(joined)) / 30, joined)


def test_further_takes_give_the_largest_difference_of_any(raising: Raising) -> None:
    reference, takes = raising(60), [raising(60, left=0.95), raising(62, left=0.8)]
    floor = floor_of([score(reference, take, OPTIONS) for take in takes])
    each = [score(reference, take, OPTIONS) for take in takes]
    assert floor["pose_dissimilarity"] == max(one.pose_dissimilarity for one in each)
    assert floor["dynamics_dissimilarity"] == max(abs(one.dynamics_dissimilarity) for one in each)
    assert floor["dissimilarity"] == max(abs(one.dissimilarity or 0.0) for one in each)


def test_a_score_that_is_not_computed_has_no_floor(raising: Raising) -> None:
    floor = floor_of([score(raising(60), raising(60, left=0.9))])
    assert set(floor) == {"pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity_extended"}


def test_a_reference_that_repeats_carries_its_own_floor(raising: Raising) -> None:
    reference = repeated([raising(60), raising(66, left=0.9), raising(60, left=0.95)])
    floor = floor_of_reference(reference, OPTIONS)
    assert 0.0 < floor["pose_dissimilarity"] < score(raising(60), raising(60, left=0.6)).pose_dissimilarity
    assert set(within(score(reference, reference, OPTIONS), floor)) == set(floor)
    weak = score(reference, repeated([raising(80, left=0.3, right=0.3)] * 3), OPTIONS)
    assert "pose_dissimilarity" not in within(weak, floor)


def test_one_repetition_says_nothing_of_the_instructors_variation(raising: Raising) -> None:
    assert floor_of_reference(repeated([raising(60)]), OPTIONS) == {}


def test_score_takes_takes_from_files_and_folders(tmp_path: Path, raising: Raising) -> None:
    healthy = tmp_path / "healthy"
    healthy.mkdir()
    for number in range(2):
        write_skeleton_csv(healthy / f"{number}.csv", raising(60, left=1.0 - 0.1 * number))
    for name, left in (("reference", 1.0), ("near", 0.95), ("far", 0.3)):
        write_skeleton_csv(tmp_path / f"{name}.csv", raising(60, left=left))

    def run(recording: str, *takes: Path) -> dict[str, object]:
        arguments = ["score", tmp_path / "reference.csv", tmp_path / f"{recording}.csv", "--json"]
        arguments += [part for take in takes for part in ("--second-take", take)]
        result = CliRunner().invoke(rehabbox, [str(part) for part in arguments], standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        document = json.loads(result.stdout)
        assert isinstance(document, dict)
        return document

    near = run("near", healthy)
    assert near["noise_floor"] == run("near", healthy / "0.csv", healthy / "1.csv")["noise_floor"]
    assert "pose_dissimilarity" in near["within_noise"]  # type: ignore[operator]
    assert "pose_dissimilarity" not in run("far", healthy)["within_noise"]  # type: ignore[operator]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match="an empty folder"):
        run("near", tmp_path / "empty")
    write_skeleton_csv(healthy / "short.csv", raising(60).between(0.0, 0.01))
    with pytest.raises(NotScorableError, match=r"healthy/short.csv: has 1 frame"):
        run("near", healthy)


def test_the_floor_of_single_repetitions_is_like_that_of_whole_sets(data: Path) -> None:
    """What an instructor's repetitions say of sets that they do."""
    files = sorted((data / "ui-prmd-kinect2" / "sit_to_stand").glob("S03_*_correct.csv.gz"))[:6]
    takes = [read_recording(file) for file in files]
    first, second = repeated(takes[:3]), repeated(takes[3:])
    floor = floor_of_reference(first, ScoringOptions())["pose_dissimilarity"]
    assert 0.5 < score(first, second).pose_dissimilarity / floor < 2.0
