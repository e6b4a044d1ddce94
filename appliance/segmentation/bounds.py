"""Where one excursion from rest begins, turns and ends. Ours, on what is known of reaching movements."""

from __future__ import annotations

import numpy as np

from appliance.segmentation.motion import Floats

UNDER_WAY = 0.5
"""Share of an excursion's height below which a slow moment is its beginning or end, above which it is a hesitation."""
SLOW = 0.2
"""Share of the phase's top speed that is rest. Lower, and a patient's sway between repetitions counts as movement."""
PLATEAU = 0.95
"""Share of an excursion's height that is "at the turning point"."""


def phase_bound(distance: Floats, speed: Floats, peak: int, valley: int) -> float:
    """Frame (fractional) where the movement between `peak` and `valley` comes to rest, looked for from the peak.

    distance, speed: (frames,) float64, from the rest pose, metres and metres a frame.
    """
    step = 1 if valley > peak else -1
    phase = np.arange(peak, valley + step, step)
    away, fast = distance[phase], speed[phase]
    low = away < distance[valley] + UNDER_WAY * (distance[peak] - distance[valley])
    if not low.any():
        return float(valley)
    half = int(low.argmax())
    limit = SLOW * fast[: half + 1].max()
    calm = fast[half:] < limit
    if not calm.any():
        return float(valley)
    end = half + int(calm.argmax())
    rest, moving = fast[end], fast[end - 1]
    return peak + step * (end - float((limit - rest) / (moving - rest)) if moving > limit else end)


def turning_point(distance: Floats, peak: int) -> float | None:
    """Middle of the stay at the top, as a fractional frame; None where it reaches the recording's begin or end."""
    below = np.flatnonzero(distance < PLATEAU * distance[peak])
    at = int(np.searchsorted(below, peak))
    if at in (0, len(below)):
        return None
    return float(below[at - 1] + below[at]) / 2


def quarter_to_three_quarters(distance: Floats, peak: int, valley: int) -> int:
    """Frames that the phase takes for the middle half of its way, looked for from the valley's side."""
    step = 1 if valley > peak else -1
    way = distance[np.arange(peak, valley + step, step)] - distance[valley]
    return int((way < 0.25 * way[0]).argmax() - (way < 0.75 * way[0]).argmax())
