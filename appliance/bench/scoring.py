"""What scoring costs: alignment beside its peers, and a whole score beside the time it may take.

CPU time of the whole process, so that other programmes on the machine do not count and a helping thread would. The
peers and we take turns; a figure is the median of the turns.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import click
import numpy as np
from numpy.typing import NDArray

from appliance.bench.peers import installed_peers
from appliance.bench.rows import Row
from appliance.bench.virtual_pairs import CAMERA_HZ
from appliance.scoring.alignment import align_recordings
from appliance.scoring.compare import compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.skeleton.standard import recording_of
from hal.virtual.patient import VirtualPatient

Floats = NDArray[np.float64]

FRAMES = (300, 900, 1800)
BAND = 0.1
"""Of the frames, to either side; for us a window of that size."""
LARGEST_RATIO = 0.25
LONGEST_MS = 50.0
SCORED_S = 60.0
TURNS = 15
WARMING_S = 0.005
INSTALLING = "the peers are not installed; for them: python -m pip install --no-deps -r requirements-bench.lock"


def run() -> list[Row]:
    rows, ours = [], {}
    for frames in FRAMES:
        instructor, patient = performance(1, frames), performance(2, frames)
        times = alignment_ms(instructor, patient)
        ours[frames] = times.pop("ours")
        rows += _beside_peers(frames, ours[frames], times)
        rows.append(_memory(frames, instructor, patient))
    few, many = FRAMES[-2:]
    growth = ours[many] / ours[few]
    rows.append(Row(f"alignment, growth of the time from {few} to {many} frames, cells x 4", growth, "times"))
    if not times:
        click.echo(INSTALLING, err=True)
    return rows + _whole_scores()


def performance(seed: int, frames: int, rate_hz: float = CAMERA_HZ) -> Floats:
    """(frames, 17, 3) metres: somebody who lifts an arm again and again, as a camera with 1 cm of noise sees it."""
    patient = VirtualPatient(seed)
    patient.perform("shoulder_abduction", "", 50, at_s=0.0)
    noise = np.random.default_rng(seed).normal(0.0, 0.01, (frames, 17, 3))
    return np.asarray(patient.joints(np.arange(frames) / rate_hz) + noise)


def alignment_ms(instructor: Floats, patient: Floats) -> dict[str, float]:
    """Distances and path, in milliseconds, of ours and of every installed peer; 51 dimensions, weighed alike."""
    frames, half = len(instructor), round(BAND * len(instructor))
    a, b = instructor.reshape(frames, -1), patient.reshape(frames, -1)
    ways: dict[str, Callable[[], object]] = {name: peer(a, b, half) for name, peer in installed_peers().items()}
    return _take_turns(ways | {"ours": aligning(instructor, patient, half)})


def aligning(instructor: Floats, patient: Floats, window: int) -> Callable[[], object]:
    weights = np.full(instructor.shape[1:], 1.0 / instructor[0].size)
    return partial(align_recordings, instructor, patient, weights, window, ScoringOptions().smoothness_per_frame)


def _take_turns(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median CPU time of each, in milliseconds; each turn begins with `WARMING_S` that are not counted, so that
    nobody pays for compilation or for what the one before left in the caches."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, way in ways.items():
            warm = time.process_time() + WARMING_S
            while time.process_time() < warm:
                way()
            began = time.process_time()
            way()
            spent[name].append(1e3 * (time.process_time() - began))
    return {name: statistics.median(times) for name, times in spent.items()}


def _beside_peers(frames: int, ours: float, peers: dict[str, float]) -> list[Row]:
    rows = [Row(f"alignment, {frames} frames x 51", ours, "ms")]
    if peers:
        fastest = min(peers, key=lambda name: peers[name])
        ratio = ours / peers[fastest]
        rows = [
            Row(f"alignment, {frames} frames x 51", ours, "ms", peer_name=fastest, peer=peers[fastest]),
            Row(f"alignment, {frames} frames x 51, ratio to the fastest peer", ratio, f"of {fastest}", LARGEST_RATIO),
            *(Row(f"alignment, {frames} frames x 51, {name}", spent, "ms") for name, spent in peers.items()),
        ]
    return rows


def _memory(frames: int, instructor: Floats, patient: Floats) -> Row:
    """Distances, path and all besides, in bands: one is a float64 for each frame and shift."""
    window = round(BAND * frames)
    cells = frames * (2 * window + 1) * 8
    peak = _peak(aligning(instructor, patient, window))
    return Row(f"alignment, {frames} frames x 51, memory of distances and path together", peak / cells, "bands", 1)


def _peak(way: Callable[[], object]) -> int:
    """Bytes of arrays; the few rows that compiled code takes for itself are not seen."""
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _whole_scores() -> list[Row]:
    """From the last frame to the scores: the reference was prepared before, the recording is normalised now."""
    frames = round(SCORED_S * CAMERA_HZ)
    times = np.arange(frames) / CAMERA_HZ
    # The patient is slower by a tenth, and the camera sees one joint badly.
    seen = performance(2, frames, 1.1 * CAMERA_HZ)
    gaps = seen.copy()
    gaps[np.random.default_rng(3).random(frames) < 0.3, 7] = np.nan
    instructor = recording_of(times, performance(1, frames))
    reference = prepare_reference(instructor, ScoringOptions())
    complete, broken = recording_of(times, seen), recording_of(times, gaps)
    spent = _take_turns(
        {
            "score of 60 s, one core": lambda: compare(reference, complete),
            "score of 60 s with a joint seen in part, one core": lambda: compare(reference, broken),
            "reference of 60 s made ready, one core": lambda: prepare_reference(instructor, ScoringOptions()),
        }
    )
    limits = dict.fromkeys(list(spent)[:2], LONGEST_MS)
    return [Row(name, ms, "ms", limits.get(name)) for name, ms in spent.items()]
