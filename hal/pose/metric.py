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
from hal.pose.lift import lift
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
        assert frame.color is not None
        assert frame.depth is not None
        assert frame.lens is not None
        seen = self._inside(marks, frame.depth.shape)
        lifted = lift(frame.depth, frame.lens, marks.pixels, marks.metric, marks.visibility, seen)
        refused = body_refused(frame.depth, frame.lens, marks.metric, lifted)
        if refused is not None:
            return refused
        if self._two(frame, frame.color, frame.depth, marks, seen):
            return Absent("two_people", "a second person is in view")
        if self._identity.somebody_else(frame.stamp_ns, lifted):
            return Absent("other_person", "not the person who began: other body proportions")
        return Body("mediapipe_33", lifted.positions @ levelling(frame.up).T, lifted.confidence)

    def _inside(self, marks: Landmarks, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        x, y = marks.pixels.T
        in_picture = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
        return np.asarray(in_picture & (marks.visibility >= self._min_visibility))

    def _two(
        self, frame: Frame, color: NDArray[np.uint8], depth: NDArray[np.uint16], marks: Landmarks,
        seen: NDArray[np.bool_],
    ) -> bool:  # fmt: skip
        """Looked for twice a second, at one place a time; what was no person is left alone for ten seconds."""
        now = frame.stamp_ns
        if self._looked_ns is not None and now - self._looked_ns < _LOOK_EVERY_NS:
            return self._second
        self._looked_ns, self._second = now, False
        self._harmless = [(box, since) for box, since in self._harmless if now - since < _FORGET_NS]
        assert frame.lens is not None
        for box in human_sized(depth, frame.lens, frame.up, marks.pixels[seen]):
            if any(box.overlap(harmless) > _SAME_PLACE for harmless, _ in self._harmless):
                continue
            found = self._look(np.ascontiguousarray(color[box.top : box.bottom, box.left : box.right]))
            if found is not None and self._is_body(frame, depth, found.moved(box.left, box.top)):
                self._second = True
            else:
                self._harmless.append((box, now))
            break
        return self._second

    def _is_body(self, frame: Frame, depth: NDArray[np.uint16], marks: Landmarks) -> bool:
        assert frame.lens is not None
        seen = self._inside(marks, depth.shape)
        lifted = lift(depth, frame.lens, marks.pixels, marks.metric, marks.visibility, seen)
        return body_refused(depth, frame.lens, marks.metric, lifted) is None


def levelling(up: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """(3, 3) the smallest turn of the camera's axes after which y points straight down; none where up is unknown."""
    if up is None:
        return np.eye(3)
    down = np.array([0.0, 1.0, 0.0])
    axis, cosine = np.cross(-up, down), float(-up @ down)
    if cosine < -0.999:  # a camera hung upside down: half a turn about the line of sight
        return np.diag([-1.0, -1.0, 1.0])
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))
