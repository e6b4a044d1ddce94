"""Two cameras' recordings of one person become one, joint by joint, by confidence (ours).

A joint that one camera does not see comes from the other. Where both see it and agree, it lies between them, nearer to
the surer one. Where they contradict each other, one of them is wrong: the surer one is kept, and trusted less, so that
worn sensors, where there are any, have their say. While one camera is away, the other's frames take its place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.gaps import MAX_GAP_S
from appliance.skeleton.standard import Recording
from appliance.sync.grid import values_at

Floats = NDArray[np.float64]

AGREE_M = 0.08
"""Two views of one joint, each seen with confidence 1, differ by less: pose networks place a joint's centre a few
centimetres apart from different sides, and calibration adds its own."""
_CLEARLY_MORE = 1.1
"""Times as many joints the second camera must have seen to be the only one that is scored (ours)."""
_FLIP = np.diag([1.0, -1.0, -1.0])
"""Between a camera's axes (x right, y down, z away) and the standard skeleton's, both ways."""


@dataclass(frozen=True, slots=True)
class ViewPlacement:
    """A point in the first recording's axes = rotation @ (the point in the second's) + translation.

    rotation: (3, 3); translation: (3,) metres; both in the axes of standard skeletons.
    """

    rotation: Floats
    translation: Floats


@dataclass(frozen=True, slots=True)
class View:
    """What a camera showed, or two joined.

    recording: its times are seconds of the (first) camera's own clock. host_s: (frames,) s, the same moments on the
    host's clock, increasing.
    """

    recording: Recording
    host_s: Floats


def placement_of(
    rotation: Floats, translation: Floats, first_level: Floats | None = None, second_level: Floats | None = None
) -> ViewPlacement:
    """From two cameras' calibration: a point in camera A's axes = rotation @ (the point in B's) + translation.

    first_level, second_level: (3, 3) the turn that made each camera's axes level before its skeletons were made, where
    it was made.
    """
    first = _FLIP if first_level is None else _FLIP @ first_level
    second = _FLIP if second_level is None else _FLIP @ second_level
    return ViewPlacement(first @ rotation @ second.T, first @ translation)


def merge_views(first: Recording, second: Recording, placement: ViewPlacement) -> Recording:
    """Both recordings as one, in the first one's axes and at its times; the two share one time axis.

    The second is interpolated linearly to the first one's frames; nothing is dropped. Raises `ValueError` for a flat
    (planar) recording, which has no place in space.
    """
    if first.planar or second.planar:
        raise ValueError("a two-dimensional recording cannot be merged with another view")
    placed = second.positions @ placement.rotation.T + placement.translation
    trusted = np.where(second.confidence > 0, second.confidence, np.nan)
    there = values_at(second.times, np.concatenate([placed, trusted[..., None]], axis=2), first.times)
    other = np.where(np.isfinite(there).all(axis=2), there[..., 3], 0.0)
    positions, confidence = _merged(first.positions, first.confidence, there[..., :3], other)
    gravity = first.gravity if first.gravity == second.gravity else "camera"
    return replace(first, positions=positions, confidence=confidence, gravity=gravity)


def join_views(first: View, second: View, placement: ViewPlacement | None) -> View:
    """Both as one, on the first one's clock and in its axes; its gaps hold the second one's frames.

    placement: None where it is not known how the two stand: then the one that saw more, the first if in doubt. So it is
    with a flat (planar) recording. Raises `ValueError` where times do not increase.
    """
    if not len(second.recording):
        return first
    if placement is None or first.recording.planar or second.recording.planar:
        more = _sightings(second) > _CLEARLY_MORE * _sightings(first)
        return second if more else first
    ours = replace(first.recording, times=first.host_s)
    theirs = replace(second.recording, times=second.host_s)
    merged = merge_views(ours, theirs, placement)
    alone = _in_gaps(ours.times, theirs.times)
    order = np.argsort(np.concatenate([ours.times, theirs.times[alone]]))
    placed = theirs.positions[alone] @ placement.rotation.T + placement.translation
    host_s = np.concatenate([ours.times, theirs.times[alone]])[order]
    joined = replace(
        merged,
        times=_on_clock_of(first, host_s),
        positions=np.concatenate([merged.positions, placed])[order],
        confidence=np.concatenate([merged.confidence, theirs.confidence[alone]])[order],
    )
    return View(joined, host_s)


def _sightings(view: View) -> int:
    return int(np.count_nonzero(view.recording.confidence))


def _in_gaps(ours: Floats, theirs: Floats) -> NDArray[np.bool_]:
    """Which of their times lie where ours, before the first and after the last as well, miss more than `MAX_GAP_S`."""
    if not len(ours):
        return np.ones(len(theirs), np.bool_)
    known = np.concatenate([[min(theirs[0], ours[0])], ours, [max(theirs[-1], ours[-1])]])
    after = np.clip(np.searchsorted(known, theirs, side="right"), 1, len(known) - 1)
    wide = known[after] - known[after - 1] > MAX_GAP_S
    return np.asarray(wide & ~np.isin(theirs, ours))


def _on_clock_of(view: View, host_s: Floats) -> Floats:
    """Seconds of that camera's clock; before and after its frames by the host's."""
    own_s, known_s = view.recording.times, view.host_s
    if not len(known_s):
        return host_s - host_s[:1]
    inside = np.clip(host_s, known_s[0], known_s[-1])
    return np.asarray(np.interp(inside, known_s, own_s) + (host_s - inside))


def _merged(here: Floats, sure_here: Floats, there: Floats, sure_there: Floats) -> tuple[Floats, Floats]:
    """Positions (n, 17, 3) and confidence (n, 17); a camera's variance goes with the inverse fourth power of it."""
    ours, theirs = sure_here**4, sure_there**4
    total = np.where(ours + theirs > 0, ours + theirs, 1.0)
    share = (ours / total)[..., None]
    here, there = (np.where(trust[..., None] > 0, at, 0.0) for at, trust in ((here, ours), (there, theirs)))
    both = (ours > 0) & (theirs > 0)
    apart = np.where(both, np.linalg.norm(here - there, axis=2), 0.0)
    surest = np.maximum(sure_here, sure_there)
    expected = AGREE_M / np.where(both, np.minimum(sure_here, sure_there), 1.0) ** 2
    contradict = apart > expected
    share = np.where(contradict[..., None], (sure_here >= sure_there)[..., None], share)
    positions = share * here + (1.0 - share) * there
    positions[surest <= 0] = np.nan
    return positions, surest * np.where(contradict, expected / np.where(contradict, apart, 1.0), 1.0)
