"""Each repetition is measured against the reference's nearest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from appliance.errors import NotScorableError
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.scoring.repetitions import score_repetitions
from appliance.skeleton.standard import Recording, recording_of

Raising = Callable[..., Recording]


@dataclass(frozen=True)
class Part:
    start_s: float
    end_s: float


def joined(parts: list[Recording]) -> tuple[Recording, list[Part]]:
    positions = np.concatenate([part.positions for part in parts])
    ends = np.cumsum([len(part) for part in parts])
    times = 100.0 + np.arange(len(positions)) / 30
    starts = [0, *ends[:-1]]
    bounds = [Part(times[start], times[end - 1]) for start, end in zip(starts, ends, strict=True)]
    return recording_of(times, positions), bounds


def test_a_repetition_is_close_to_the_right_way_that_it_followed(raising: Raising) -> None:
    reference, shown = joined([raising(60), raising(60, left=0.5)])
    recording, done = joined([raising(60, left=0.5), raising(60, right=0.2), raising(60)])
    first, second, third = score_repetitions(reference, shown, recording, done)
    assert first.pose_dissimilarity == pytest.approx(0.0, abs=1e-9)
    assert first.dynamics_dissimilarity == pytest.approx(0.0, abs=1e-9)
    assert third.pose_dissimilarity == pytest.approx(0.0, abs=1e-9)
    assert second.pose_dissimilarity is not None
    assert second.pose_dissimilarity > 0.01
    assert second.dynamics_dissimilarity is not None
    assert second.dynamics_dissimilarity > 0.0


def test_a_reference_without_repetitions_counts_as_one(raising: Raising) -> None:
    recording, done = joined([raising(90)])
    (found,) = score_repetitions(prepare_reference(raising(90), ScoringOptions()), [], recording, done)
    assert found.pose_dissimilarity == pytest.approx(0.0, abs=1e-9)


def test_a_repetition_that_cannot_be_scored_says_why_and_the_others_go_on(raising: Raising) -> None:
    recording, done = joined([raising(60), raising(60)])
    positions = recording.positions.copy()
    positions[60:] = np.nan
    half_hidden = recording_of(recording.times, positions)
    found = score_repetitions(raising(60), [], half_hidden, [*done, Part(100.0, 100.0)])
    assert [part.pose_dissimilarity is None for part in found] == [False, True, True]
    assert found[1].reason is not None
    assert "only 0% of the joints" in found[1].reason
    assert found[2].reason == "is shorter than two frames"


def test_two_dimensional_repetitions_need_a_two_dimensional_reference(raising: Raising) -> None:
    flat = replace(raising(60), positions=raising(60).positions * [1, 1, 0], planar=True)
    with pytest.raises(NotScorableError, match="two-dimensional"):
        score_repetitions(raising(60), [], flat, [Part(0.0, 2.0)])
