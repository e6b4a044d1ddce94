"""Short gaps are bridged, long ones stay gaps (HS-BTW, section 2 as this project defines it; the 0.25 s are ours)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import Recording

MAX_GAP_S = 0.25
STAMP_TOLERANCE_S = 1e-3
"""Stamps in files are rounded, often to whole milliseconds; a difference this small is no difference."""


def longest_bridge_s(recording: Recording) -> float:
    """The longest time between two frames that still may be joined by a straight line.

    The missing time is what counts, so the frame interval that lies between any two neighbours comes on top: at 30 Hz
    seven missing frames (0.233 s) are bridged, eight are not. Ours; it means the same at every rate, and for frames
    that were lost whole.
    """
    return MAX_GAP_S + 1.0 / recording.rate_hz + STAMP_TOLERANCE_S


def fill_gaps(recording: Recording) -> tuple[Recording, NDArray[np.bool_]]:
    """The recording with gaps up to 0.25 s interpolated linearly, joint by joint, and which cells were filled.

    Returns the recording and (frames, 17) bool. Nothing is extrapolated before the first or after the last frame that
    shows a joint. A filled joint's confidence is interpolated as well.
    """
    seen = np.isfinite(recording.positions).all(axis=2)
    filled = np.zeros_like(seen)
    if seen.all() or len(recording) < 3:
        return recording, filled
    times, longest = recording.times, longest_bridge_s(recording)
    positions, confidence = recording.positions.copy(), recording.confidence.copy()
    for joint in np.flatnonzero(seen.any(axis=0) & ~seen.all(axis=0)):
        known, missing = np.flatnonzero(seen[:, joint]), np.flatnonzero(~seen[:, joint])
        after = np.searchsorted(known, missing)
        inside = (after > 0) & (after < len(known))
        missing, after = missing[inside], after[inside]
        short = missing[times[known[after]] - times[known[after - 1]] <= longest]
        for axis in range(3):
            positions[short, joint, axis] = np.interp(times[short], times[known], positions[known, joint, axis])
        confidence[short, joint] = np.interp(times[short], times[known], confidence[known, joint])
        filled[short, joint] = True
    return replace(recording, positions=positions, confidence=confidence), filled
