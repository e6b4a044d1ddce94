"""Is it still the person who began? By the lengths of their bones, asked after every break. Ours.

Nobody changes places with somebody else without leaving the view or a jump, so between breaks nothing is asked. After
one, nobody's frames count until the answer is there: a third of a second for the patient, two thirds in doubt. Bone
lengths tell people apart whose size differs by about a tenth or more (posture moves them by a few per cent); two
people of one size are not told apart.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from hal.pose.lift import Floats, Lifted
from hal.pose.limbs import HIPS, INDEX

_PAIRS: Final = tuple(
    tuple((INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"]) for side in ("left", "right"))
    for a, b in (("shoulder", "hip"), ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
)
_KNOWN_AFTER: Final = 60
_FEWEST: Final = 8
_ASK: Final = 20
_BREAK_NS: Final = 1_000_000_000
_JUMP_M: Final = 0.7
_MIN_LENGTHS: Final = 3
_OTHER_SIZE: Final = 0.09
"""Median difference of the logarithms of lengths; half of it is no difference, already after `_FEWEST` frames."""

Verdict = Literal["same", "not_known_yet", "other"]


class SamePerson:
    """Fed with every accepted body; learns the first two seconds of the person who begins."""

    def __init__(self) -> None:
        self._known: list[Floats] = []
        self._recent: deque[Floats] = deque(maxlen=_ASK)
        self._asking = False
        self._last_ns: int | None = None
        self._last_hips: NDArray[np.float64] | None = None

    def verdict(self, stamp_ns: int, lifted: Lifted) -> Verdict:
        """Who this is. "same" also of whoever begins, and where too few lengths can be measured to tell."""
        lengths = _lengths(lifted)
        if self._broke_off(stamp_ns, lifted) and len(self._known) >= _KNOWN_AFTER // 2:
            self._asking = True
            self._recent.clear()
        if not self._asking:
            if len(self._known) < _KNOWN_AFTER:
                self._known.append(lengths)
            return "same"
        self._recent.append(lengths)
        if len(self._recent) < _FEWEST:
            return "not_known_yet"
        difference = self._difference()
        if len(self._recent) < _ASK:
            if difference is None or difference > _OTHER_SIZE / 2:
                return "not_known_yet"
        elif difference is not None and difference > _OTHER_SIZE:
            return "other"
        self._asking = False
        return "same"

    def _broke_off(self, stamp_ns: int, lifted: Lifted) -> bool:
        """Whether the person before was out of sight, or somewhere else."""
        hips = lifted.positions[list(HIPS)].mean(axis=0)
        broke = self._last_ns is not None and stamp_ns - self._last_ns > _BREAK_NS
        if self._last_hips is not None and np.linalg.norm(hips - self._last_hips) > _JUMP_M:
            broke = True
        self._last_ns = stamp_ns
        if np.isfinite(hips).all():
            self._last_hips = hips
        return broke

    def _difference(self) -> float | None:
        """By how much, on a logarithmic scale, most lengths differ; None where too few are known of both."""
        differences = _medians(self._recent) - _medians(self._known)
        differences = differences[np.isfinite(differences)]
        return abs(float(np.median(differences))) if len(differences) >= _MIN_LENGTHS else None


def _medians(rows: list[Floats] | deque[Floats]) -> Floats:
    """Of each length that half the frames have; NaN else."""
    table = np.array(rows)
    enough = np.isfinite(table).mean(axis=0) >= 0.5
    return np.array([np.nanmedian(table[:, i]) if enough[i] else np.nan for i in range(table.shape[1])])


def _lengths(lifted: Lifted) -> Floats:
    """(5,) logarithms of trunk, upper arm, forearm, thigh, shank: mean of the sides that depth measured, or NaN."""
    result = np.full(len(_PAIRS), np.nan)
    for place, pairs in enumerate(_PAIRS):
        sides = [
            np.linalg.norm(lifted.positions[a] - lifted.positions[b])
            for a, b in pairs
            if lifted.measured[a] and lifted.measured[b]
        ]
        if sides:
            result[place] = np.log(np.mean(sides))
    return result
