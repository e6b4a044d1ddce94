"""A template: the average of several healthy recordings of one exercise, to be used as a reference (FineRehab's idea).

How it is averaged is ours: DTW barycentre averaging (Petitjean et al. 2011) on bodies brought to one size and
heading, so that one person's pace and habits do not become the norm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.scoring.warping import warp
from appliance.skeleton.gaps import fill_gaps
from appliance.skeleton.normalise import normalise
from appliance.skeleton.resample import resample
from appliance.skeleton.standard import INDEX, Recording, recording_of
from hal.types import Gravity

RATE_HZ = 30.0
ROUNDS = 8
"""The average hardly changes after so many alignments with it."""
_SETTLED = 1e-3
"""Trunk lengths: no frame moves farther from one round to the next."""
_MAX_CELLS = 25_000_000

Floats = NDArray[np.float64]


def average(recordings: Sequence[Recording], names: Sequence[object] | None = None) -> Recording:
    """As long as the median of the recordings, of their median size; a joint is averaged over those who show it.

    Raises `NotScorableError` for fewer than two recordings, for two- with three-dimensional ones, and for one that
    cannot be placed or is too long; the message says which by its name, or by its number from 1.
    """
    if len(recordings) < 2:
        raise NotScorableError("a template needs at least two recordings")
    if len({recording.planar for recording in recordings}) > 1:
        raise NotScorableError("two- and three-dimensional recordings cannot be averaged together")
    bodies, sizes = [], []
    names = names or [f"recording {number}" for number in range(1, len(recordings) + 1)]
    for name, recording in zip(names, recordings, strict=True):
        try:
            body, size = _placed(recording)
        except NotScorableError as error:
            raise NotScorableError(f"{name}: {error}") from None
        bodies.append(body)
        sizes.append(size)
    lengths = [len(body) for body in bodies]
    frames = round(float(np.median(lengths)))
    if frames * max(lengths) > _MAX_CELLS:
        raise NotScorableError(f"too long to be averaged ({max(lengths)} frames): cut it")
    start = bodies[int(np.argmin(np.abs(np.array(lengths) - frames)))]
    template = _stretched(start, frames)
    for _ in range(ROUNDS):
        before, template = template, _barycentre(template, bodies)
        if np.nanmax(np.abs(template - before)) < _SETTLED:
            break
    gravity: Gravity = "accelerometer" if all(r.gravity == "accelerometer" for r in recordings) else "camera"
    return recording_of(
        np.arange(frames) / RATE_HZ,
        template * float(np.median(sizes)),
        planar=recordings[0].planar,
        gravity=gravity,
    )


def _placed(recording: Recording) -> tuple[Floats, float]:
    """(frames, 17, 3) from the starting place, in trunk lengths, and that length in metres."""
    bridged, _ = fill_gaps(recording)
    level = resample(bridged, RATE_HZ)
    if len(level) < 2:
        raise NotScorableError("has fewer than two frames")
    trunk = level.positions[:, INDEX["thorax"]] - level.positions[:, INDEX["pelvis"]]
    body = normalise(level.positions, RATE_HZ, "start", planar=level.planar).positions
    return body, float(np.nanmedian(np.linalg.norm(trunk, axis=1)))


def _stretched(body: Floats, frames: int) -> Floats:
    """Linearly in time; the nearest frame, so that a missing joint stays missing and no other does."""
    return np.asarray(body[np.round(np.linspace(0, len(body) - 1, frames)).astype(np.int64)])


def _barycentre(template: Floats, bodies: Sequence[Floats]) -> Floats:
    """Each frame the mean of all frames that are aligned with it, each body counting once."""
    spread = np.sqrt(np.nan_to_num(np.nanstd(template, axis=0)))
    means = []
    for body in bodies:
        first, second, _ = warp(_flat(template, spread), _flat(body, spread))
        means.append(mean_by_frame(body[second], first, len(template)))
    seen = np.isfinite(means)
    total = np.where(seen, means, 0.0).sum(axis=0)
    count = seen.sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _flat(body: Floats, scale: Floats) -> Floats:
    return np.asarray(np.nan_to_num(body * scale).reshape(len(body), -1))


def mean_by_frame(values: Floats, frames: NDArray[np.int64], count: int) -> Floats:
    """(count, ...) the mean of the (k, ...) values that belong to each frame, of those that are seen; NaN for none."""
    seen = np.isfinite(values)
    total, number = np.zeros((2, count, *values.shape[1:]))
    np.add.at(total, frames, np.where(seen, values, 0.0))
    np.add.at(number, frames, seen)
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1.0), np.nan))
