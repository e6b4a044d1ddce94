"""Sets joined from single real repetitions: six people, eight movements, done well and badly, with pauses between.

The true bounds are the joined files' own, and the files hold some rest themselves: up to 3 s of it in a few.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from appliance.recording.files import read_recording
from appliance.segmentation.repetitions import find_repetitions
from appliance.skeleton.standard import recording_of

RATE_HZ = 30.0
TOLERANCE_S = 0.5


@pytest.fixture(scope="module")
def takes(data: Path) -> dict[tuple[str, str], list[np.ndarray]]:
    """Positions (frames, 17, 3) of every repetition by person and movement; half of them, to be quick."""
    folder = data / "ui-prmd-kinect2"
    found = defaultdict(list)
    with (folder / "manifest.csv").open() as file:
        for row in csv.DictReader(file):
            if int(row["repetition"]) % 2:
                found[row["person"], row["exercise"]].append(read_recording(folder / row["file"]).positions)
    return found


def pause(before: np.ndarray, after: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """0.2-2 s from the last pose of one repetition to the first of the next."""
    share = np.linspace(0, 1, int(rng.uniform(0.2, 2.0) * RATE_HZ))[:, None, None]
    share = {"held": 0 * share, "straight": share, "smooth": share**2 * (3 - 2 * share)}[kind]
    way = before + share * (after - before)
    return way + rng.normal(0, 0.01 if kind == "held" else 0.0, way.shape)


def joined(takes: list[np.ndarray], kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a set of 5-10 repetitions, and their bounds in seconds, (repetitions, 2)."""
    chosen = rng.permutation(len(takes))[: rng.integers(5, len(takes) + 1)]
    parts, bounds = [takes[chosen[0]]], [(0, len(takes[chosen[0]]) - 1)]
    for index in chosen[1:]:
        parts.append(pause(parts[-1][-1], takes[index][0], kind, rng))
        start = sum(map(len, parts))
        parts.append(takes[index])
        bounds.append((start, start + len(takes[index]) - 1))
    return np.concatenate(parts), np.array(bounds) / RATE_HZ


def hits(found: np.ndarray, true: np.ndarray) -> int:
    """True repetitions with a found one of which both bounds are near; the tolerance is less than half of any."""
    near = np.abs(found[:, None] - true[None]).max(axis=2) <= TOLERANCE_S
    return int(near.any(axis=0).sum())


@pytest.mark.parametrize("kind", ["held", "straight", "smooth"])
def test_repetitions_of_unknown_people_and_movements_are_found(
    takes: dict[tuple[str, str], list[np.ndarray]], kind: str
) -> None:
    rng = np.random.default_rng(2024)
    right = wrong = missed = 0
    assert len(takes) == 48
    for own in takes.values():
        positions, true = joined(own, kind, rng)
        repetitions = find_repetitions(recording_of(np.arange(len(positions)) / RATE_HZ, positions))
        hit = hits(np.array([(one.start_s, one.end_s) for one in repetitions]), true)
        right, wrong, missed = right + hit, wrong + len(repetitions) - hit, missed + len(true) - hit
    assert 2 * right / (2 * right + wrong + missed) >= 0.95
