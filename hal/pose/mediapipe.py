"""MediaPipe's BlazePose on colour pictures: 33 landmarks of one person, offline, on the processor."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from hal.errors import MisuseError
from hal.pose.blazepose import BlazePose
from hal.pose.landmarks import Landmarks
from hal.pose.metric import UNCHECKED, MetricPose, levelling
from hal.pose.translation import offset_in_scene
from hal.types import Absent, Body, DeviceInfo, Frame

Fraction = Annotated[float, Field(ge=0, le=1)]


class MediaPipePose:
    """Joints in metres: x right in the picture, y down (along gravity where the camera measures it), z away.

    With depth they are measured: where they are from the camera, and only on what is a body, the only one in view, and
    the one that began (`hal.pose.metric`). Without depth they are the network's own metres, put back into the scene
    across the picture (`hal.pose.translation`); nothing of that can be checked then, which each body's notes say.

    Smoothing over time is MediaPipe's own, tuned by its authors for 30 frames a second; it starts afresh at `open`, so
    that a video always gives the same joints. Who "began" is forgotten at `open`, too.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("colour cameras", "33 landmarks", "measured in metres with depth")

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
        self._network: BlazePose | None = None
        self._second_look: BlazePose | None = None
        self._metric = MetricPose(self._look, options.min_visibility)
        self._had_depth = False

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("mediapipe", "BlazePose full", 0.0)

    def open(self) -> None:
        """Load the network (about a third of a second)."""
        self.close()
        self._network = BlazePose(self._options.min_detection_confidence, self._options.min_tracking_confidence)
        self._metric = MetricPose(self._look, self._options.min_visibility)
        self._had_depth = False

    def close(self) -> None:
        for network in (self._network, self._second_look):
            if network is not None:
                network.close()
        self._network = self._second_look = None

    def estimate(self, frame: Frame) -> Body | Absent:
        """The joints of the person in `frame.color`, or why there are none. Raises `MisuseError` before `open`."""
        if self._network is None:
            raise MisuseError("pose mediapipe: estimate was called before open")
        if frame.color is None:
            return Absent("no_person", "the frame has no picture")
        marks = self._network.find(frame.color)
        if marks is None:
            return Absent("no_person", "nobody in the picture")
        if frame.depth is not None and frame.lens is not None:
            self._had_depth = True
            return self._metric.body(frame, marks)
        if self._had_depth:
            return Absent("too_little_depth", "the camera gave no depth with this picture")
        return self._flat(frame, marks)

    def _flat(self, frame: Frame, marks: Landmarks) -> Body:
        assert frame.color is not None
        height, width = frame.color.shape[:2]
        seen = marks.visibility >= self._options.min_visibility
        middle = (width / 2 - 0.5, height / 2 - 0.5)
        metric = marks.metric + offset_in_scene(marks.metric[seen], marks.pixels[seen] - middle)
        positions = np.where(seen[:, None], metric, np.nan) @ levelling(frame.up).T
        return Body("mediapipe_33", positions, np.where(seen, marks.visibility, 0.0), notes=(UNCHECKED,))

    def _look(self, color: NDArray[np.uint8]) -> Landmarks | None:
        """Somebody in a part of the picture, by a network of its own: the first one follows its person."""
        if self._second_look is None:
            self._second_look = BlazePose(self._options.min_detection_confidence, 0.5, single=True)
        return self._second_look.find(color)
