"""MediaPipe's BlazePose on colour pictures: 33 landmarks of one person, offline, on the processor."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

import numpy as np
from mediapipe.python.solutions.pose import Pose
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hal.pose.chatter import native_chatter_dropped
from hal.pose.translation import offset_in_scene
from hal.types import Body, DeviceInfo, Frame

Fraction = Annotated[float, Field(ge=0, le=1)]

_MODEL = 1
"""The full model: the one that MediaPipe's wheel carries, so that a box never downloads anything."""
_NOBODY = np.zeros((64, 64, 3), np.uint8)


class MediaPipePose:
    """World landmarks in metres (x right in the picture, y down, z away), put back into the scene.

    The network's own metres begin at the hips in every frame; `hal.pose.translation` moves them to where the person
    is across the picture (along the line of sight the hips stay at 0). Smoothing over time is MediaPipe's own, tuned
    by its authors for 30 frames a second; it starts afresh at `open`, so that a video always gives the same joints.
    """

    class Options(BaseModel):
        """`min_visibility`: below it a landmark counts as not seen. The two others are MediaPipe's own thresholds.

        0.6 was measured: with parts of a real person cut out of the picture, landmarks below it lay 9-30 cm (medians)
        from where the whole picture has them, mostly outside the picture; those above it 1-6 cm.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        min_visibility: Fraction = 0.6
        min_detection_confidence: Fraction = 0.5
        min_tracking_confidence: Fraction = 0.5

    def __init__(self, options: Options) -> None:
        self._options = options
        self._network: Any = None
        self._quiet = False

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("mediapipe", "BlazePose full", 0.0)

    def open(self) -> None:
        """Load the network (about a third of a second)."""
        self.close()
        with native_chatter_dropped():
            self._network = Pose(
                model_complexity=_MODEL,
                min_detection_confidence=self._options.min_detection_confidence,
                min_tracking_confidence=self._options.min_tracking_confidence,
            )
            # The graph loads its models on threads of its own: seeing nobody once waits until they are there.
            self._network.process(_NOBODY)
        self._quiet = False

    def close(self) -> None:
        if self._network is not None:
            self._network.close()
            self._network = None

    def estimate(self, frame: Frame) -> Body | None:
        """The joints seen in `frame.color`; None where there is no picture or nobody in it."""
        if frame.color is None:
            return None
        # The libraries stop chattering once each part of the graph has run, that is, after the first person.
        with contextlib.nullcontext() if self._quiet else native_chatter_dropped():
            found = self._network.process(frame.color)
        if found.pose_world_landmarks is None:
            return None
        self._quiet = True
        height, width = frame.color.shape[:2]
        metric, visibility = _points(found.pose_world_landmarks)
        pixels = (_points(found.pose_landmarks)[0][:, :2] - 0.5) * (width, height)
        seen = visibility >= self._options.min_visibility
        metric += offset_in_scene(metric[seen], pixels[seen])
        positions = np.where(seen[:, None], metric, np.nan)
        return Body("mediapipe_33", positions, np.where(seen, visibility, 0.0))


def _points(landmarks: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(33, 3) coordinates and (33,) visibility."""
    table = np.array([(point.x, point.y, point.z, point.visibility) for point in landmarks.landmark])
    return table[:, :3], table[:, 3]
