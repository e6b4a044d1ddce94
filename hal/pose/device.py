"""For cameras that track the body themselves (and for the synthetic one): the joints come with the frame."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from hal.pose.metric import levelling
from hal.types import Absent, Body, DeviceInfo, Frame


class DevicePose:
    """Passes on the joints that the camera found, levelled where it measures what is up.

    A frame without joints is a frame with nobody in it.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("any camera that gives a body",)

    class Options(BaseModel):
        """None."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, options: Options) -> None:
        self._options = options

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("device", "the camera's own body tracking", 0.0)

    def open(self) -> None:
        """Nothing to connect."""

    def close(self) -> None:
        """Nothing to release."""

    def estimate(self, frame: Frame) -> Body | Absent:
        if frame.body is None:
            return Absent("no_person", "the camera tracks nobody")
        if frame.up is None:
            return frame.body
        return replace(frame.body, positions=frame.body.positions @ levelling(frame.up).T)
