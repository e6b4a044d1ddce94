"""How fluently each part of the body goes the reference's way: in how many pushes, and whether it trembles (ours).

Looked at along that way alone: what a joint does beside it, or a camera's noise in a joint that hardly moves, is no
lack of fluency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from appliance.quality.along import PARTS, Course, course_along, moving, signals_of, way_of
from appliance.quality.tremor import shaking
from appliance.scoring.body import RATE_HZ, Body, Floats

LIMBS = PARTS[1:]
"""The pelvis's rise has no direction of its own."""
_SMOOTHING_S = 4.0 / 30.0
_PUSH = 0.4
"""A peak of speed stands over the dips beside it by this share of the top speed, and ..."""
_LEAST_PUSH = 0.03
"""... by this much a second, of a direction's change."""
_LEAST_REACH = 0.15
"""Of the reference's way: a part that goes less far shows nothing of how it goes."""


@dataclass(frozen=True, slots=True)
class Fluency:
    """By `LIMBS`, (limbs,) each. size: of the reference's way. pushes: stretches of speed that a dip parts from the
    next, `shown` by the reference and `done` by the patient, NaN of a part that hardly moves. tremor: log of how many
    times as strong it is as the reference's, or as the camera's noise where that is stronger."""

    size: Floats
    shown: Floats
    done: Floats
    tremor: Floats


def fluency(reference: Body, patient: Body) -> Fluency:
    shown, done = signals_of(reference), signals_of(patient)
    found = []
    for part in LIMBS:
        line, size = way_of(shown[part][1])
        theirs, ours = (course_along(line, size, *signals[part]) for signals in (shown, done))
        steady, _ = shaking(size * moving(theirs))
        tremor, noise = shaking(size * moving(ours))
        found.append((size, _pushes(theirs, size), _pushes(ours, size), tremor - max(steady, noise)))
    return Fluency(*np.array(found).T)


def _pushes(course: Course, size: float) -> float:
    progress = gaussian_filter1d(course.progress, _SMOOTHING_S * RATE_HZ, mode="nearest")
    if len(progress) < 2 or np.percentile(progress, 97) < _LEAST_REACH:
        return float("nan")
    speed = np.abs(np.diff(progress)) * RATE_HZ
    least = max(_PUSH * float(np.percentile(speed, 97)), _LEAST_PUSH / size)
    return float(len(find_peaks(np.pad(speed, 1), prominence=least)[0]))
