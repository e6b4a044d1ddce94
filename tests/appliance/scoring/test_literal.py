"""`score` agrees with a programme that spells the formulas of HS-BTW out, one by one, without any product code."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from appliance.recording.files import read_recording
from appliance.scoring.compare import compare, score
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import Recording, recording_of

PELVIS, THORAX, LEFT_HIP, RIGHT_HIP = 0, 2, 11, 14


def normalise(x: Any, rate: int = 30) -> Any:
    """Section 2 with the root `pelvis`, for complete data at the common rate."""
    axis = np.median(x[:rate, LEFT_HIP] - x[:rate, RIGHT_HIP], axis=0)
    yaw = math.atan2(axis[2], axis[0])
    turn = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    size = np.median([math.dist(frame[PELVIS], frame[THORAX]) for frame in x])
    return (x - x[:, [PELVIS]]) @ turn.T / size


@numba.njit
def distance(a, b, w):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(17):
        for k in range(3):
            total += w[i, k] * (a[i, k] - b[i, k]) ** 2
    return math.sqrt(total)


@numba.njit
def least_cost(base, reference, w, window, smoothness):  # type: ignore[no-untyped-def]
    """Section 4, O(n W^2): every shift of every frame tries every shift of the frame before."""
    n, m = len(base), len(reference)
    shifts = np.arange(-window, m - n + window + 1)
    cost = np.full((n, len(shifts)), np.inf)
    back = np.zeros((n, len(shifts)), np.int64)
    for t in range(n):
        for j in range(len(shifts)):
            psi = distance(base[t], reference[min(max(t + shifts[j], 0), m - 1)], w)
            if t == 0:
                cost[t, j] = psi
                continue
            for i in range(len(shifts)):
                if shifts[j] - shifts[i] >= -1:
                    candidate = cost[t - 1, i] + smoothness * (shifts[j] - shifts[i]) ** 2 + psi
                    if candidate < cost[t, j]:
                        cost[t, j], back[t, j] = candidate, i
    j = np.argmin(cost[n - 1])
    least = cost[n - 1, j]
    path = np.empty(n, np.int64)
    for t in range(n - 1, -1, -1):
        path[t] = shifts[j]
        j = back[t, j]
    return path, least


@numba.njit
def intensity(x, w):  # type: ignore[no-untyped-def]
    total = 0.0
    for t in range(len(x) - 1):
        total += distance(x[t], x[t + 1], w)
    return total / (len(x) - 1)


def literal(instructor: Any, patient: Any, rate: int = 30) -> dict[str, Any]:
    """Sections 3 to 5, all joints, from normalised positions."""
    w = instructor.std(axis=0)
    w = w / w.sum()
    swapped = len(patient) < len(instructor)
    base, reference = (patient, instructor) if swapped else (instructor, patient)
    n, m = len(base), len(reference)
    path, cost = least_cost(base, reference, w, min(2 * rate, n // 4), 0.01 * (30 / rate) ** 2)
    pairs = [(t, t + s) for t, s in enumerate(path) if 0 <= t + s < m]
    d = [distance(base[t], reference[u], w) for t, u in pairs]
    lags = [(t - u if swapped else u - t) / rate for t, u in pairs]
    parts = sum((w * (base[t] - reference[u]) ** 2).sum(axis=1) for t, u in pairs)
    i_instructor, i_patient = intensity(instructor, w), intensity(patient, w)
    return {
        "cost": cost,
        "pairs": len(pairs),
        "mean_distance": np.mean(d),
        "min_distance": min(d),
        "pose_dissimilarity": np.mean(d) - min(d),
        "intensity": i_patient,
        "intensity_reference": i_instructor,
        "dynamics_dissimilarity": i_instructor - i_patient,
        "mean_lag_s": np.mean(lags),
        "lag_spread_s": np.std(lags),
        "shares": parts / parts.sum() if parts.sum() else parts,
    }


def assert_same(found: Any, expected: dict[str, Any], name: str) -> None:
    for key, value in expected.items():
        got = list(found.joints.values()) if key == "shares" else getattr(found, key)
        assert got == pytest.approx(value, rel=1e-6, abs=1e-12), f"{name}: {key}"


def test_every_fourth_pair_of_the_ui_prmd_manifest(data: Path) -> None:
    folder = data / "ui-prmd-kinect2"
    rows = list(csv.DictReader((folder / "manifest.csv").read_text().splitlines()))[::4]
    references = {}
    for row in rows:
        if row["reference"] not in references:
            instructor = read_recording(folder / row["reference"])
            references[row["reference"]] = (
                prepare_reference(instructor, ScoringOptions()),
                normalise(instructor.positions),
            )
        prepared, instructor_positions = references[row["reference"]]
        patient = read_recording(folder / row["file"])
        expected = literal(instructor_positions, normalise(patient.positions))
        assert_same(compare(prepared, patient), expected, row["file"])
    assert len(rows) == 240


def body(rng: np.random.Generator, frames: int, rate: int = 30) -> Recording:
    """A body that waves its limbs at random, upright."""
    rest = np.zeros((17, 3))
    rest[:, 1] = np.linspace(0, 1.6, 17)
    rest[LEFT_HIP], rest[RIGHT_HIP], rest[THORAX, 1] = (0.2, 0.9, 0.1), (-0.2, 0.9, -0.1), 0.5
    waves = np.sin(np.linspace(0, 6, frames)[:, None, None] * rng.uniform(0.5, 2, (17, 3)) + rng.uniform(0, 6, (17, 3)))
    return recording_of(np.arange(frames) / rate, rest + 0.1 * waves + rng.normal(0, 0.01, (frames, 17, 3)))


@pytest.mark.parametrize(("frames", "others"), [(2, 2), (2, 9), (3, 60), (17, 4), (40, 40), (60, 31), (59, 300)])
def test_recordings_of_all_lengths(frames: int, others: int) -> None:
    rng = np.random.default_rng(frames * 1000 + others)
    for _ in range(3):
        reference, recording = body(rng, frames), body(rng, others)
        expected = literal(normalise(reference.positions), normalise(recording.positions))
        assert_same(score(reference, recording), expected, f"{frames} and {others} frames")


@pytest.mark.parametrize("rate", [15, 60])
def test_other_common_rates(rate: int) -> None:
    rng = np.random.default_rng(rate)
    reference, recording = body(rng, 280, rate), body(rng, 300, rate)
    expected = literal(normalise(reference.positions, rate), normalise(recording.positions, rate), rate)
    assert_same(score(reference, recording, ScoringOptions(rate_hz=rate)), expected, f"{rate} Hz")
