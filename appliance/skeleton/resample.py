"""One frame rate for every recording that is compared (HS-BTW, section 4: default 30 Hz; how: ours)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.errors import NotScorableError
from appliance.skeleton.gaps import STAMP_TOLERANCE_S, longest_bridge_s
from appliance.skeleton.standard import Recording

MAX_FRAMES = 200_000
"""Nearly two hours at 30 Hz. One wrong stamp would otherwise ask for more memory than there is."""


def resample(recording: Recording, rate_hz: float) -> Recording:
    """The recording at times[0] + k / rate_hz, interpolated linearly between neighbouring frames.

    A recording whose stamps lie on that grid already, within the millisecond that files round to, keeps its frames
    exactly: rounded stamps are no reason to alter a measurement. A joint that either neighbour does not show, or
    neighbours too far apart to be bridged (see `fill_gaps`), give NaN. There is no low-pass before a reduction: a
    body moves slowly against 30 Hz, and a filter would take the tremor out of the intensity.

    Raises `NotScorableError` where the result would exceed `MAX_FRAMES`.
    """
    if len(recording) < 2:
        return recording
    times = recording.times
    duration = recording.duration_s
    if not duration * rate_hz < MAX_FRAMES:
        raise NotScorableError(f"lasts {duration:.6g} s, at most {MAX_FRAMES / rate_hz:.6g} s can be scored: cut it")
    if np.abs(times - times[0] - np.arange(len(times)) / rate_hz).max() <= STAMP_TOLERANCE_S:
        return recording
    count = int((duration + STAMP_TOLERANCE_S) * rate_hz) + 1
    grid = times[0] + np.arange(count) / rate_hz
    inside = np.minimum(grid, times[-1])
    right = np.clip(np.searchsorted(times, inside), 1, len(times) - 1)
    left = right - 1
    step = times[right] - times[left]
    share = (inside - times[left]) / step
    positions = _between(recording.positions, left, right, share)
    confidence = _between(recording.confidence, left, right, share)
    on_a_frame = (share == 0.0) | (share == 1.0)
    positions[(step > longest_bridge_s(recording)) & ~on_a_frame] = np.nan
    seen = np.isfinite(positions).all(axis=2)
    positions[~seen] = np.nan
    return replace(recording, times=grid, positions=positions, confidence=np.where(seen, confidence, 0.0))


def _between(
    values: NDArray[np.float64], left: NDArray[np.intp], right: NDArray[np.intp], share: NDArray[np.float64]
) -> NDArray[np.float64]:
    """From values[left] to values[right]; exactly on a frame only that frame counts, not its neighbour's NaN."""
    share = share.reshape(-1, *[1] * (values.ndim - 1))
    mixed = values[left] * (1.0 - share) + values[right] * share
    mixed = np.where(share == 0.0, values[left], mixed)
    return np.where(share == 1.0, values[right], mixed)
