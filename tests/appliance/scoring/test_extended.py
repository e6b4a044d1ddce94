"""The extended measure: each component answers to what it is named after, and the whole to real data."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.batch_manifest import read_manifest
from appliance.recording.files import read_recording
from appliance.scoring.body import body_of
from appliance.scoring.compare import score
from appliance.scoring.components import COMPONENTS, Measured, measure, model_of
from appliance.scoring.extended import WEIGHTS_FILE, extended, shipped_weights
from appliance.scoring.ranks import auc, spearman
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.virtual.patient import VirtualPatient, reference
from hal.virtual.performance import INSTRUCTOR, Style

EXERCISE = "shoulder_abduction"


def performed(style: Style = INSTRUCTOR, side: str = "left", exercise: str = EXERCISE) -> Recording:
    patient = VirtualPatient(3, 1.72, style)
    patient.rest(exercise, side, at_s=-10.0)
    end_s = patient.perform(exercise, side, 2, at_s=0.0, lead_in_s=1.0)
    times = np.arange(int((end_s + 1.0) * 30.0)) / 30.0
    return recording_of(times, patient.joints(times))


@pytest.fixture(scope="module")
def textbook() -> Recording:
    return recording_of(*reference(EXERCISE, "left", 2))


def compared(textbook: Recording, recording: Recording) -> Measured:
    return measure(model_of(body_of(textbook)), body_of(recording))


@pytest.mark.parametrize(
    ("less", "more", "components"),
    [
        (INSTRUCTOR, replace(INSTRUCTOR, tempo=0.5), {"movement_time", "slowness"}),
        (INSTRUCTOR, replace(INSTRUCTOR, pause_s=4.0), {"movement_time"}),
        (INSTRUCTOR, replace(INSTRUCTOR, amplitude=0.6), {"stiffness", "joint_angle_deficit", "slowness"}),
        (
            INSTRUCTOR,
            replace(INSTRUCTOR, compensation_deg=15.0),
            {"trunk_compensation", "trunk_course", "trunk_inclination"},
        ),
        (INSTRUCTOR, replace(INSTRUCTOR, sway_deg=2.0), {"body_path"}),
    ],
    ids=["slower", "pausing", "smaller", "compensating", "swaying"],
)
def test_what_is_worse_raises_the_components_named_after_it(
    textbook: Recording, less: Style, more: Style, components: set[str]
) -> None:
    good, bad = (compared(textbook, performed(style)).values for style in (less, more))
    for name in components:
        assert bad[name] > good[name] + 0.05, name


def test_a_stop_and_go_movement_has_more_submovements(textbook: Recording) -> None:
    jerky = performed()
    times = jerky.times
    halting = times + 0.12 * np.sin(2.0 * np.pi * 1.2 * times)
    stuttering = recording_of(times, _sampled(jerky, halting))
    smooth, broken = compared(textbook, jerky).values, compared(textbook, stuttering).values
    assert broken["submovements"] > smooth["submovements"] + 0.2
    assert broken["movement_time"] == pytest.approx(smooth["movement_time"], abs=0.1)


def test_the_reference_itself_differs_in_nothing(textbook: Recording) -> None:
    measured = compared(textbook, textbook)
    assert all(abs(value) < 1e-6 for value in measured.values.values())
    assert not measured.mirrored


def test_size_place_and_heading_do_not_count(textbook: Recording) -> None:
    turn = np.array([[np.cos(0.4), 0, np.sin(0.4)], [0, 1, 0], [-np.sin(0.4), 0, np.cos(0.4)]])
    patient = performed(replace(INSTRUCTOR, tempo=0.8, amplitude=0.8))
    elsewhere = recording_of(patient.times + 7.0, 1.3 * patient.positions @ turn.T + (0.4, 0.1, 2.0))
    here, there = compared(textbook, patient).values, compared(textbook, elsewhere).values
    assert here == pytest.approx(there, abs=2e-3)


def test_the_other_arm_is_compared_as_in_a_mirror(textbook: Recording) -> None:
    style = replace(INSTRUCTOR, amplitude=0.7)
    same, other = (
        extended(compared(textbook, performed(style))),
        extended(compared(textbook, performed(style, "right"))),
    )
    assert (same.mirrored, other.mirrored) == (False, True)
    assert other.dissimilarity == pytest.approx(same.dissimilarity, rel=0.1)
    assert same.joints["left_wrist"] > same.joints["right_wrist"]
    assert other.joints["right_wrist"] > other.joints["left_wrist"]


def test_a_smaller_movement_with_the_same_sway_leans_more_in_proportion(textbook: Recording) -> None:
    whole, half = (
        compared(textbook, performed(replace(INSTRUCTOR, sway_deg=2.0, amplitude=amplitude))).values
        for amplitude in (1.0, 0.5)
    )
    assert half["head_share"] > whole["head_share"] + 0.1
    assert half["head_compensation"] == pytest.approx(whole["head_compensation"], abs=0.1)


def test_a_compensating_patient_does_not_change_hands(textbook: Recording) -> None:
    worse = performed(replace(INSTRUCTOR, compensation_deg=25.0, amplitude=0.3, tempo=0.6))
    assert not compared(textbook, worse).mirrored


def test_contributions_add_up_and_name_joints(textbook: Recording) -> None:
    comparison = score(textbook, performed(replace(INSTRUCTOR, amplitude=0.6)))
    assert comparison.dissimilarity_extended == pytest.approx(sum(comparison.extended.values()))
    assert sum(comparison.extended_joints.values()) == pytest.approx(
        sum(value for value in comparison.extended.values() if value > 0.0), rel=1e-6
    )


def test_joints_that_are_never_seen_and_gaps_leave_the_rest_scored(textbook: Recording) -> None:
    positions = performed(replace(INSTRUCTOR, tempo=0.7)).positions.copy()
    positions[:, [INDEX["left_ankle"], INDEX["right_ankle"]]] = np.nan
    positions[30:60, INDEX["right_wrist"]] = np.nan
    comparison = score(textbook, recording_of(np.arange(len(positions)) / 30.0, positions))
    assert comparison.dissimilarity_extended is not None
    assert np.isfinite(list(comparison.extended.values())).all()
    assert comparison.extended_joints["left_ankle"] == 0.0


def test_without_shoulders_there_is_no_extended_measure_and_the_papers_stay(textbook: Recording) -> None:
    positions = performed().positions.copy()
    positions[:, [INDEX["left_shoulder"], INDEX["right_shoulder"]]] = np.nan
    comparison = score(textbook, recording_of(np.arange(len(positions)) / 30.0, positions))
    assert comparison.dissimilarity_extended is None
    assert comparison.extended == {}
    assert comparison.pose_dissimilarity >= 0.0


def test_the_weights_are_few_not_negative_and_say_where_they_come_from() -> None:
    document = json.loads(WEIGHTS_FILE.read_text())
    assert set(shipped_weights()) == set(COMPONENTS) == set(document["weights"])
    assert len(COMPONENTS) <= 12
    assert all(weight >= 0.0 for weight in shipped_weights().values())
    assert all(entry["manifest"].startswith("sha256:") and entry["persons"] > 1 for entry in document["data"])


def test_it_ranks_unpaced_movements_and_tells_incorrect_ones(data: Path) -> None:
    """A part of the sets; the figures on persons left out are in the weights' file and in docs/scoring.md."""
    ranked = [
        spearman(*np.array(triple).T)
        for exercise in ("turn_key", "lift_basket")
        for triple in _measured(data / "wmft-kinect2", lambda row: row["person"], exercise)
    ]
    told = []
    for exercise in sorted(path.name for path in (data / "ui-prmd-kinect2").iterdir() if path.is_dir()):
        (values,) = _measured(data / "ui-prmd-kinect2", lambda row: row["exercise"], exercise)
        told.append(auc(*(np.array([value for value, level in values if level == wanted]) for wanted in (0.0, 1.0))))
    assert np.mean(ranked) > 0.88
    assert np.mean(told) > 0.9


def _measured(folder: Path, by: Callable[[dict[str, str]], str], exercise: str) -> list[list[tuple[float, float]]]:
    """(dissimilarity, level) of the first two repetitions of one exercise, grouped."""
    groups = defaultdict(list)
    model = None
    for row in read_manifest(folder / "manifest.csv").rows:
        if row["exercise"] == exercise and row["file"] != row["reference"] and int(row["repetition"]) <= 2:
            model = model or model_of(body_of(read_recording(folder / row["reference"])))
            measured = measure(model, body_of(read_recording(folder / row["file"])))
            groups[by(row)].append((extended(measured).dissimilarity, float(row["level"])))
    return list(groups.values())


def _sampled(recording: Recording, times: np.ndarray) -> np.ndarray:
    flat = recording.positions.reshape(len(recording), -1)
    columns = [np.interp(times, recording.times, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(-1, 17, 3)
