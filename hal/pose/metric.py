"""From landmarks and depth to a body in metres that stands upright, or to the reason why there is none.

The stages: `lift` (joints from depth), `presence` (is it a body), `bystanders` (is somebody else there), `identity` (is
it still the same person), then the turn that makes y vertical.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hal.pose.bystanders import Box, human_sized
from hal.pose.identity import SamePerson
from hal.pose.landmarks import Landmarks
from hal.pose.lift import Floats, Lifted, lift
from hal.pose.presence import body_refused
from hal.types import Absent, Body, Frame

Look = Callable[[NDArray[np.uint8]], Landmarks | None]

UNCHECKED: Final = "presence_unchecked"
"""Note on a body from a picture without depth: size, relief, a second person and identity could not be checked."""

_LOOK_EVERY_NS: Final = 500_000_000
_SAME_PLACE: Final = 0.5
_FORGET_NS: Final = 10_000_000_000


class MetricPose:
    """One person's way through a stream of frames. `look` finds a person in a part of a picture, without memory."""

    def __init__(self, look: Look, min_visibility: float) -> None:
        self._look = look
        self._min_visibility = min_visibility
        self._identity = SamePerson()
        self._harmless: list[tuple[Box, int]] = []
        self._looked_ns: int | None = None
        self._second = False

    def body(self, frame: Frame, marks: Landmarks) -> Body | Absent:
        """The frame must have colour, depth and lens."""
        found = self._judged(frame, marks)
        if isinstance(found, Absent):
            # A poster may hold the network's eye while the patient stands beside it.
            beside = self._beside(frame, np.zeros((0, 2)))
            if beside is None:
                return found
            found = beside
        elif self._two(frame, found):
            return Absent("two_people", "a second person is in view")
        who = self._identity.verdict(frame.stamp_ns, found)
        if who == "not_known_yet":
            return Absent("not_known_yet", "after a break: not clear yet whether it is the person who began")
        if who == "other":
            return Absent("other_person", "not the person who began: other body proportions")
        return Body("mediapipe_33", found.positions @ levelling(frame.up).T, found.confidence)

    def _judged(self, frame: Frame, marks: Landmarks) -> Lifted | Absent:
        assert frame.depth is not None
        assert frame.lens is not None
        height, width = frame.depth.shape
        x, y = marks.pixels.T
        seen = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (marks.visibility >= self._min_visibility)
        lifted = lift(frame.depth, frame.lens, marks.pixels, marks.metric, marks.visibility, seen)
        return body_refused(frame.depth, frame.lens, marks.metric, lifted) or lifted

    def _two(self, frame: Frame, found: Lifted) -> bool:
        """Looked for twice a second."""
        if self._looked_ns is None or frame.stamp_ns - self._looked_ns >= _LOOK_EVERY_NS:
            self._looked_ns = frame.stamp_ns
            self._second = self._beside(frame, found.pixels[found.measured]) is not None
        return self._second

    def _beside(self, frame: Frame, own: Floats) -> Lifted | None:
        """Another body than the one at the pixels `own`: one look a frame; what was none is left alone for a while."""
        assert frame.color is not None
        assert frame.depth is not None
        assert frame.lens is not None
        now = frame.stamp_ns
        self._harmless = [(box, since) for box, since in self._harmless if now - since < _FORGET_NS]
        for box in human_sized(frame.depth, frame.lens, frame.up, own):
            if any(box.overlap(harmless) > _SAME_PLACE for harmless, _ in self._harmless):
                continue
            marks = self._look(np.ascontiguousarray(frame.color[box.top : box.bottom, box.left : box.right]))
            found = None if marks is None else self._judged(frame, marks.moved(box.left, box.top))
            if isinstance(found, Lifted):
                return found
            self._harmless.append((box, now))
            break
        return None


def levelling(up: Floats | None) -> Floats:
    """(3, 3) the smallest turn of the camera's axes after which y points straight down; none where up is unknown."""
    if up is None:
        return np.eye(3)
    down = np.array([0.0, 1.0, 0.0])
    axis, cosine = np.cross(-up, down), float(-up @ down)
    if cosine < -0.999:  # a camera hung upside down: half a turn about the line of sight
        return np.diag([-1.0, -1.0, 1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))
