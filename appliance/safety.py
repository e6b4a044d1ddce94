"""What ends a set for the patient's sake: a movement beyond its limit, and a fall. All thresholds are ours.

It is no medical alarm: it sees what the camera sees, and nothing between two sets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.exercises import Position
from appliance.messages.motion_limits import JOINTS_WITH_LIMITS
from appliance.skeleton.standard import INDEX, Recording
from appliance.track import Skeleton

WINDOW_S = 0.4
"""Angles are medians over so long: one frame's noise is no movement."""
LEAST_FRAMES = 4
REST_FRAMES = 9
"""Where head and pelvis begin is the median of so many: one wrong frame is no height to fall from."""
FAST_M_S, SPEED_S = 1.0, 0.25
"""The head of someone who falls goes down so fast, over so long; of someone who sits down on the floor it does not."""
STALLED_S = 0.5
"""Frames further apart say nothing of a speed."""
FAST_S = 1.5
"""From there to the floor takes less."""
LOW_S = 2.0
"""Who is up again within so long has stumbled."""
HEAD_BELOW, PELVIS_BELOW = 0.4, 0.25
"""In trunk lengths (pelvis to head; some 0.7 m), below where the exercise itself takes head and pelvis."""

_PARTS = {
    "elbow": ("shoulder", "elbow", "wrist"),
    "knee": ("hip", "knee", "ankle"),
}
Floats = NDArray[np.float64]


def angles_by_limit(positions: Floats) -> dict[str, float]:
    """Degrees by the names of `motion_limits.LIMITS`; positions: (17, 3), y up. NaN where a joint was not seen."""
    at = {name: positions[index] for name, index in INDEX.items()}
    spine = at["thorax"] - at["pelvis"]
    across = _unit(at["left_hip"] - at["right_hip"])
    up = np.array([0.0, 1.0, 0.0])
    sideways = float(np.degrees(np.arcsin(np.clip(abs(_unit(spine) @ across), 0.0, 1.0))))
    ahead = _unit(np.cross(across, up))
    angles = {
        "trunk_forward_max_deg": float(np.degrees(np.arctan2(spine @ ahead, max(spine @ up, 1e-6)))),
        "trunk_sideways_max_deg": sideways,
    }
    for side in ("left", "right"):
        for joint in JOINTS_WITH_LIMITS:
            if joint in _PARTS:
                near, middle, far = (at[f"{side}_{part}"] for part in _PARTS[joint])
                angle = 180.0 - _between(near - middle, far - middle)
            else:
                far = "elbow" if joint == "shoulder" else "knee"
                angle = _between(at[f"{side}_{far}"] - at[f"{side}_{joint}"], -spine)
            angles[f"{side}_{joint}_max_deg"] = angle
    return angles


class LimitWatch:
    """Told every frame of a set; says what went beyond its limit."""

    def __init__(self, limits: Mapping[str, float]) -> None:
        self._limits = limits
        self._recent: deque[tuple[float, list[float]]] = deque()

    def update(self, skeleton: Skeleton, now_s: float) -> str | None:
        if not self._limits or not skeleton.seen:
            return None
        angles = angles_by_limit(skeleton.positions)
        self._recent.append((now_s, [angles[name] for name in self._limits]))
        while now_s - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
        if len(self._recent) < LEAST_FRAMES:
            return None
        values = np.array([frame for _, frame in self._recent])
        for (name, most), column in zip(self._limits.items(), values.T, strict=True):
            seen = column[np.isfinite(column)]
            if len(seen) >= LEAST_FRAMES and np.median(seen) > most:
                return (
                    f"{name.removesuffix('_max_deg').replace('_', ' ')}: {np.median(seen):.0f} of at most {most:g} deg"
                )
        return None


class FallWatch:
    """Told every frame of a set: head and pelvis drop fast, further than the exercise takes them, and stay there.

    Who is not seen any more after such a drop stays down, too. Lying on the back nobody falls.
    """

    def __init__(self, reference: Recording, position: Position) -> None:
        self._watching = position != "supine"
        self._exercise = _drops(reference) if self._watching else (0.0, 0.0)
        self._heads: deque[tuple[float, float]] = deque()
        self._fast_s = -np.inf
        self._first: list[tuple[float, float, float]] = []
        """Head, pelvis and trunk when the set began."""
        self._down_from_s: float | None = None

    def update(self, skeleton: Skeleton, now_s: float) -> bool:
        """Whether the patient seems to have fallen."""
        if not self._watching:
            return False
        head, pelvis = (skeleton.positions[INDEX[name], 1] for name in ("head", "pelvis"))
        if np.isfinite(head) and np.isfinite(pelvis):
            if self._heads and now_s - self._heads[-1][0] > STALLED_S:
                self._heads.clear()  # nobody knows how fast it went meanwhile
            self._heads.append((now_s, float(head)))
            if self._heads[0][1] - head > FAST_M_S * SPEED_S:
                self._fast_s = now_s
            trunk = float(np.linalg.norm(skeleton.positions[INDEX["head"]] - skeleton.positions[INDEX["pelvis"]]))
            if len(self._first) < REST_FRAMES:
                self._first.append((float(head), float(pelvis), trunk))
            else:
                self._judge(float(head), float(pelvis), now_s)
        while self._heads and now_s - self._heads[0][0] > SPEED_S:
            self._heads.popleft()
        return self._down_from_s is not None and now_s - self._down_from_s >= LOW_S

    def _judge(self, head: float, pelvis: float, now_s: float) -> None:
        head_at_rest, pelvis_at_rest, trunk = np.median(self._first, axis=0)
        low_head = head_at_rest - (self._exercise[0] + HEAD_BELOW) * trunk
        low_pelvis = pelvis_at_rest - (self._exercise[1] + PELVIS_BELOW) * trunk
        if head >= low_head or pelvis >= low_pelvis:
            self._down_from_s = None
        elif self._down_from_s is None and now_s - self._fast_s < FAST_S:
            self._down_from_s = now_s


def _drops(reference: Recording) -> tuple[float, float]:
    """How far the exercise takes head and pelvis below where they begin, in trunk lengths."""
    head, pelvis = (reference.positions[:, INDEX[name]] for name in ("head", "pelvis"))
    seen = np.isfinite(head).all(axis=1) & np.isfinite(pelvis).all(axis=1)
    if not seen.any():
        return 0.0, 0.0
    head, pelvis = head[seen], pelvis[seen]
    trunk = float(np.linalg.norm(head[0] - pelvis[0])) or 1.0
    return float(head[0, 1] - head[:, 1].min()) / trunk, float(pelvis[0, 1] - pelvis[:, 1].min()) / trunk


def _between(one: Floats, other: Floats) -> float:
    return float(np.degrees(np.arccos(np.clip(_unit(one) @ _unit(other), -1.0, 1.0))))


def _unit(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
