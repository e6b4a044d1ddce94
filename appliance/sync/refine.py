"""Refinement by motion: when a camera and body-worn sensors saw the same movement, to a few milliseconds.

Arrival times cannot see what happens before a packet is sent: the exposure, the tracker, the radio. The movement itself
can: the same segment turned at the same moment for both. Method: ours. `lag` looks at all lags by what any mounting
and any skeleton have in common (`same_motion`); from there `rigid_fit` goes on by a model of a sensor on a limb.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from appliance.skeleton.gaps import MAX_GAP_S
from appliance.skeleton.standard import Recording
from appliance.sync.inertial import InertialRecording
from appliance.sync.lag import MOST_SKEW, PEAK_S, Fit, LagSearch
from appliance.sync.rigid_fit import SKEW_SPREAD, RigidFit, fit_rigid
from appliance.sync.rigid_sensor import rigid_sensor
from appliance.sync.same_motion import frames_of, likenesses, liveliness

WITHIN_S = 2.0
LEAST_FRAMES = 20
LEAST_TURNING, LEAST_RISING = 0.15, 0.03
"""rad/s and m/s in the liveliest tenth of the time: below both, a sensor lies still or trembles (ours)."""
CONVINCING = 25.0
"""Evidence at which a fit is two thirds convincing by itself; chance finds 10 among so many lags (ours, measured)."""
LEAST_CONFIDENCE = 0.67
"""Below, a movement matches at several lags about as well (ours; from pairs of real skeletons and sensors)."""
LEAST_SENSORS, SENSOR_SECONDS = 4, 240.0
"""Of a long recording the liveliest few are enough; in one repetition of a small movement every sensor counts."""
SKEW_EVIDENCE = 6.0
"""What a skew has to add to be believed by the look at all lags: the odds against a rate that is wrong by per cents."""
DOUBT = 0.5
"""Of the rigid model's evidence is believed, and of its precision: skin and trackers are neither rigid nor linear."""
MOST_ERROR_S = 0.02
"""An answer that is likely wrong by more is none (ours): somebody else's movement fits some lag, but no lag sharply."""
SURE = 0.99
"""Confidence above which a movement that no rigid model explains is still believed by the look at all lags (ours)."""
SYSTEMATIC_S = 0.004
"""What stays wrong however long the recording is: trackers smooth, skin slides (ours)."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """camera time = (1 + skew_ppm / 1e6) sensor time + offset_s, or `reason` for there being none.

    residual_ms: estimated standard error of mapped times. kept: share of the camera's frames at whose instant the
    sensor's motion is known. confidence: 0..1, that this and no other lag is right. method: how it was found.
    """

    offset_s: float | None
    skew_ppm: float | None
    residual_ms: float | None
    kept: float
    confidence: float
    method: str
    reason: str | None = None


def refine(
    recording: Recording, worn: Mapping[str, InertialRecording], within_s: float = WITHIN_S, *, find_skew: bool = True
) -> Refinement:
    """The lag between a camera and sensors of one clock, up to within_s; worn: sensor by the far joint of its segment.

    find_skew: a rate that is wrong by up to 5 % is looked for as well, and taken where the motion shows it clearly.
    Refuses, with the reason, where there is too little motion that both saw. Raises `ValueError` for the pelvis.
    """
    usable, reason = _usable(recording, worn, within_s)
    if not usable:
        return _refused(reason)
    search = LagSearch([alike for joint in usable for alike in likenesses(recording, joint, worn[joint])], within_s)
    coarse = [search.without_skew(), *([search.with_skew()] if find_skew else [])]
    best = _better(coarse)
    confidence = best.share * (1.0 - float(np.exp(-best.tempered / CONVINCING)))
    if confidence < LEAST_CONFIDENCE:
        return _refused(
            "too little motion that camera and sensor both saw: move that segment more, or check which it is"
        )
    if abs(best.lag_s) > within_s - 0.02:
        return _refused(
            f"the best match is {best.lag_s:+.1f} s apart, at the end of what was searched: cut to the same start"
        )
    found = _by_rigid_model(recording, {joint: worn[joint] for joint in usable}, coarse, best)
    if found is None or (found.error_s > MOST_ERROR_S and confidence > SURE):
        found = _Found(best.offset_s, best.skew, best.error_s, bool(best.skew))
    if found.error_s > MOST_ERROR_S:
        return _refused(
            f"too little motion to tell the offset better than by {1e3 * found.error_s:.0f} ms: move that segment more"
        )
    return Refinement(
        offset_s=found.offset_s,
        skew_ppm=1e6 * found.skew,
        residual_ms=1e3 * float(np.hypot(found.error_s, SYSTEMATIC_S)),
        kept=max(covered(recording, worn[joint], found.offset_s, found.skew) for joint in usable),
        confidence=confidence,
        method="motion and skew" if found.skewed else "motion",
    )


@dataclass(frozen=True, slots=True)
class _Found:
    offset_s: float
    skew: float
    error_s: float
    skewed: bool


def _better(coarse: list[Fit]) -> Fit:
    """With the skew where the motion shows it clearly."""
    fit, skewed = coarse[0], coarse[-1]
    clear = abs(skewed.skew) < 0.99 * MOST_SKEW and _gain(fit, skewed) > SKEW_EVIDENCE
    return skewed if clear else fit


def _by_rigid_model(
    recording: Recording, worn: Mapping[str, InertialRecording], coarse: list[Fit], best: Fit
) -> _Found | None:
    """None where no sensor felt gravity, or the model leads away from where all agreed.

    A skew is as likely as none beforehand. As far as the motion does not tell, both answers are averaged: the offset is
    that of the first sample, and half a recording times a per cent of skew is much.
    """
    middle_s = float(recording.times[0] + recording.times[-1]) / 2.0
    sensors = [rigid_sensor(recording, joint, inertial, middle_s) for joint, inertial in worn.items()]
    gravity = [sensor for sensor in sensors if sensor is not None]
    if not gravity:
        return None
    start = coarse[0] if best.skew == 0.0 else best
    fit = fit_rigid(gravity, middle_s, _lag_at(start, middle_s), 0.0, find_skew=False)
    if abs(fit.lag_s - _lag_at(start, middle_s)) > PEAK_S:
        return None
    if len(coarse) == 1:
        return _Found(fit.offset_s, 0.0, _error_s(recording, fit), False)
    skewed = fit_rigid(gravity, middle_s, _lag_at(best, middle_s), best.skew, find_skew=True)
    gain = DOUBT * (skewed.log_likelihood - fit.log_likelihood)
    gain += float(np.log(np.sqrt(skewed.covariance[1, 1]) / DOUBT / SKEW_SPREAD))
    share = 1.0 / (1.0 + float(np.exp(np.clip(-gain, -50.0, 50.0))))
    if abs(skewed.lag_s - fit.lag_s) > PEAK_S:
        share = round(share)
    error_s = share * _error_s(recording, skewed) + (1.0 - share) * _error_s(recording, fit)
    offset_s = share * skewed.offset_s + (1.0 - share) * fit.offset_s
    return _Found(offset_s, share * skewed.skew, error_s, share > 0.5)


def _lag_at(fit: Fit, time_s: float) -> float:
    return fit.lag_s + fit.skew * (time_s - fit.start_s)


def _error_s(recording: Recording, fit: RigidFit) -> float:
    """Standard error of mapped times, over the recording."""
    variance = fit.covariance[0, 0] + fit.covariance[1, 1] * recording.duration_s**2 / 12.0
    return float(np.sqrt(variance)) / DOUBT


def _usable(recording: Recording, worn: Mapping[str, InertialRecording], within_s: float) -> tuple[list[str], str]:
    """The joints that moved most and were seen, or none and why."""
    moved: dict[str, float] = {}
    reason = "no sensor is worn"
    for joint, inertial in worn.items():
        seen = frames_of(recording, joint)
        if seen.sum() < LEAST_FRAMES:
            reason = f"the camera saw {joint} and the joint before it in {seen.sum()} frames, {LEAST_FRAMES} are needed"
            continue
        shown_s = recording.times[seen]
        if len(inertial) < LEAST_FRAMES:
            reason = f"the sensor has {len(inertial)} samples, {LEAST_FRAMES} are needed"
        elif min(shown_s[-1], inertial.times[-1]) - max(shown_s[0], inertial.times[0]) < -within_s:
            reason = f"camera and sensor have no time in common, not even {within_s:g} s apart"
        else:
            turned, rose = liveliness(inertial)
            lively = max(turned / LEAST_TURNING, rose / LEAST_RISING)
            if lively >= 1.0:
                moved[joint] = lively
            else:
                reason = (
                    f"too little motion: the sensor turned by {turned:.2f} rad/s and rose by {rose:.2f} m/s at most"
                )
    most = max(LEAST_SENSORS, int(SENSOR_SECONDS / max(recording.duration_s, 1.0)))
    return sorted(moved, key=lambda joint: -moved[joint])[:most], reason


def _refused(reason: str) -> Refinement:
    return Refinement(None, None, None, 0.0, 0.0, "none", reason)


def _gain(fit: Fit, skewed: Fit) -> float:
    """What the skew adds, with the values counted as independent that the better fit's residual shows to be."""
    return (skewed.evidence - fit.evidence) * min(1.0, skewed.tempered / max(skewed.evidence, 1e-9))


def covered(recording: Recording, inertial: InertialRecording, offset_s: float = 0.0, skew: float = 0.0) -> float:
    """Share of the camera's frames that lie between two samples near enough to be interpolated."""
    times = (recording.times - offset_s) / (1.0 + skew)
    after = np.searchsorted(inertial.times, times)
    inside = (after > 0) & (after < len(inertial))
    after = np.clip(after, 1, len(inertial) - 1)
    bridged = inertial.times[after] - inertial.times[after - 1] <= MAX_GAP_S
    return float(np.mean(inside & bridged))
