"""How each part of the body goes the reference's own way: how far, how early, how evenly, how steadily (ours).

The alignment forgives time, and smoothed angles hide trembling. Here every part of the body has one number at a time, 0
at rest and 1 at the reference's turning point, on the patient's own clock: the directions of its segments, along the
line on which the reference's go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from appliance.quality.tremor import shaking
from appliance.scoring.body import POSE_SMOOTHING_S, RATE_HZ, SEGMENTS, Body, Floats, directions_of

PARTS = ("rise", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")
"""How high the pelvis is, which no direction shows, then the parts of the body."""
TRAITS = (
    "size", "range", "beyond", "off",
    "onset", "out", "hold", "back", "middle_out", "middle_back",
    "uneven_out", "uneven_back", "slow_out", "slow_back", "peaks", "jerk", "fastest",
    "tremor", "tremor_over_noise", "noise",
)  # fmt: skip
"""Of each part. size: of the reference's way. range: done of it; beyond: behind the start. off: to the side of it.
Times of the start, both ways and the turning point, and where the middle of each way is. uneven: of speed, root mean
square over mean; slow: share of the way's time; peaks: of speed; jerk: without dimension (Hogan & Sternad 2009).
tremor, noise: see `appliance.quality.tremor`. Logs, less the reference's, but for shares."""
COURSE = ("progress", "speed")
"""Of each part, at even moments of the patient's recording."""

_START_S = 0.33
_RESTING, _MIDDLE, _TURNED = 0.1, 0.5, 0.9
"""Shares of the furthest that is reached: a way goes from the first to the last."""
_LEAST_SIZE = 0.03
"""Of a direction's change, or of a trunk's length: hardly above noise."""
_STILL = 2.0 * _LEAST_SIZE
"""A part that the reference moves as little as this counts half."""
_LEAST_RANGE, _LEAST_FURTHEST, _LEAST_SPEED = 0.05, 0.02, 0.05
_BRIEF = 6.0
"""Frames added to times that may be none."""
_SLOW, _PEAK = 0.25, 0.15
"""Of the greatest speed."""


def _segments(part: str) -> list[int]:
    if part == "trunk":
        return [SEGMENTS.index(pair) for pair in SEGMENTS[:3]]
    side, limb = part.split("_")
    far = {"arm": ("elbow", "wrist"), "leg": ("knee", "ankle")}[limb]
    return [at for at, (_, end) in enumerate(SEGMENTS) if end in [f"{side}_{joint}" for joint in far]]


_SEGMENTS = {part: _segments(part) for part in PARTS[1:]}


@dataclass(frozen=True, slots=True)
class Course:
    """Of one part. progress: (frames,), smoothed; seen: as the camera saw it; off: (frames,) away from the line."""

    progress: Floats
    seen: Floats
    off: Floats


def along(reference: Body, patient: Body, moments: int) -> tuple[Floats, Floats]:
    """(parts * traits,) by part, then by `TRAITS`; (moments, parts * 2) by part, then by `COURSE`."""
    shown, done = signals_of(reference), signals_of(patient)
    found = [_compared(shown[part], done[part], moments) for part in PARTS]
    return np.concatenate([traits for traits, _ in found]), np.concatenate([course for _, course in found], axis=1)


def signals_of(body: Body) -> dict[str, tuple[Floats, Floats]]:
    """By part: as seen, and smoothed; (frames, n) each."""
    seen, smooth = directions_of(body.unsmoothed), directions_of(body.about_pelvis)
    rise = gaussian_filter1d(body.rise, POSE_SMOOTHING_S * RATE_HZ, mode="nearest")
    found = {"rise": (body.rise[:, None], rise[:, None])}
    for part, which in _SEGMENTS.items():
        found[part] = (seen[:, which].reshape(len(seen), -1), smooth[:, which].reshape(len(seen), -1))
    return found


def _rest(values: Floats) -> Floats:
    return np.asarray(np.median(values[: max(1, round(_START_S * RATE_HZ))], axis=0))


def _compared(shown: tuple[Floats, Floats], done: tuple[Floats, Floats], moments: int) -> tuple[Floats, Floats]:
    line, size = way_of(shown[1])
    counts = size**2 / (size**2 + _STILL**2)
    ours, theirs = (course_along(line, size, *signals) for signals in (done, shown))
    low, high = np.percentile(ours.progress, [3, 97])
    off, off_shown = (np.log(np.percentile(each.off, 90) * size + _LEAST_SIZE) for each in (ours, theirs))
    sizes = [np.log(size + _LEAST_SIZE), counts * np.log(high - low + _LEAST_RANGE), counts * low, off - off_shown]
    (tremor, noise), (tremor_shown, noise_shown) = (shaking(size * moving(each)) for each in (ours, theirs))
    shakes = [tremor - tremor_shown, tremor - noise, noise - noise_shown]
    return np.concatenate([sizes, counts * (_manner(ours) - _manner(theirs)), shakes]), _at(ours, counts, moments)


def way_of(shown: Floats) -> tuple[Floats, float]:
    """The line on which smoothed signals (frames, n) leave rest, (n,), and how far they go on it."""
    away = shown - _rest(shown)
    line = np.linalg.norm(away, axis=1) @ away  # what is far away counts more
    line = line / max(float(np.linalg.norm(line)), 1e-9)
    return line, max(float(np.percentile(away @ line, 97)), 1e-3)


def course_along(line: Floats, size: float, seen: Floats, smooth: Floats) -> Course:
    """Of one part's signals, on the way that the reference's goes."""
    rest = _rest(smooth)
    away = smooth - rest
    progress = away @ line
    off = np.linalg.norm(away - progress[:, None] * line, axis=1)
    return Course(progress / size, (seen - rest) @ line / size, off / size)


def _at(course: Course, counts: float, moments: int) -> Floats:
    times = np.linspace(0.0, len(course.progress) - 1.0, moments)
    speed = np.gradient(course.progress) * RATE_HZ
    frames = np.arange(len(speed))
    return counts * np.stack([np.interp(times, frames, values) for values in (course.progress, speed)], axis=1)


def moving(course: Course) -> Floats:
    """As seen, from the first motion to the last, if that is long enough to tell tremor."""
    away = np.flatnonzero(course.progress > _RESTING * max(float(course.progress.max()), _LEAST_FURTHEST))
    if len(away) and away[-1] - away[0] >= RATE_HZ:
        return course.seen[away[0] : away[-1] + 1]
    return course.seen


def _manner(course: Course) -> Floats:
    """From onset to fastest, as in `TRAITS`."""
    progress = course.progress
    furthest = max(float(np.percentile(progress, 98)), _LEAST_FURTHEST)
    onset, middle_out, first, last, middle_back, end = _ways(progress / furthest)
    out, hold, back = first - onset + 1.0, last - first + 1.0, end - last + 1.0
    speed = np.abs(np.diff(progress)) * RATE_HZ
    ways = [speed[onset : first + 1], speed[last : end + 1]]
    fastest = float(np.percentile(speed, 95)) if len(speed) else 0.0
    inner = speed[1:-1]
    peaks = (inner > speed[:-2]) & (inner >= speed[2:]) & (inner > _PEAK * fastest)
    jerk = float((np.diff(progress, 3)[onset:end] ** 2).sum())
    return np.array(
        [
            *(np.log((onset + _BRIEF) / RATE_HZ), np.log(out), np.log(hold + _BRIEF), np.log(back)),
            *((middle_out - onset) / out, (middle_back - last) / back),
            *(_uneven(way) for way in ways),
            *(_slow(way) for way in ways),
            np.log1p(float(peaks.sum())),
            np.log(jerk * max(end - onset, 3) ** 5 / furthest**2 + 1.0) / 4.0,
            np.log(fastest + _LEAST_SPEED),
        ]
    )


def _ways(share: Floats) -> tuple[int, int, int, int, int, int]:
    """Frames: onset, middle of the way out, first and last at the turning point, middle of the way back, end."""
    turned = np.flatnonzero(share >= _TURNED)
    first, last = (int(turned[0]), int(turned[-1])) if len(turned) else (int(share.argmax()),) * 2

    def before(level: float) -> int:
        below = np.flatnonzero(share[: first + 1] < level)
        return min(int(below[-1]) + 1, first) if len(below) else 0

    def after(level: float) -> int:
        below = np.flatnonzero(share[last:] < level)
        return last + int(below[0]) if len(below) else len(share) - 1

    return before(_RESTING), before(_MIDDLE), first, last, after(_MIDDLE), after(_RESTING)


def _uneven(speed: Floats) -> float:
    mean = float(speed.mean()) if len(speed) else 0.0
    return float(np.log(np.sqrt((speed**2).mean()) / mean)) if mean > 1e-6 else 0.0


def _slow(speed: Floats) -> float:
    return float((speed < _SLOW * speed.max()).mean()) if len(speed) else 0.0
