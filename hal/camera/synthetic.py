"""A depth camera that watches the virtual patient and tracks the body itself, as an Azure Kinect's software does."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scipy.spatial.transform import Rotation

from hal.types import Body, Counters, DeviceInfo, Frame
from hal.virtual.body import AZURE_KINECT_32
from hal.virtual.clock import DeviceClock, Link, opened
from hal.virtual.stage import stage

_NAME = "synthetic camera"


class SyntheticCamera:
    """Delivers joints and what is up, no pictures, in real time. It does not simulate a second person or a lost device.

    Joints are in the axes and the order of the Azure Kinect's body tracking: x to the right of the picture, y down, z
    away from the camera. `hidden` joints are never seen, whatever is in front of them. Noise is white and alike for
    every joint; a real tracker's is worse in depth and correlated.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("body", "1 to 120 Hz", "synthetic")

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        patient: Annotated[str, Field(min_length=1, description="whom it sees; drivers that name the same meet")] = (
            "demo"
        )
        seed: Annotated[int, Field(ge=0, description="of noise, losses and delays")] = 0
        rate_hz: Annotated[float, Field(ge=1, le=120)] = 30.0
        noise_m: Annotated[float, Field(ge=0, le=0.2, description="of each coordinate, standard deviation")] = 0.01
        loss: Annotated[float, Field(ge=0, lt=1, description="share of frames lost")] = 0.01
        delay_ms: Annotated[float, Field(ge=0, le=1000, description="mean of the exponential delay")] = 8.0
        clock_offset_s: Annotated[float, Field(ge=0, description="its clock when opened")] = 12.5
        clock_skew_ppm: Annotated[float, Field(ge=-1000, le=1000, description="how much its clock runs fast")] = 30.0
        distance_m: Annotated[float, Field(ge=0.5, le=6, description="from the patient")] = 2.5
        height_m: Annotated[float, Field(ge=0, le=3, description="above the floor")] = 1.0
        bearing_deg: Annotated[float, Field(ge=-180, le=180, description="from the patient's front to the left")] = 0.0
        tilt_deg: Annotated[float, Field(ge=-90, le=90, description="how far it looks down")] = 0.0
        hidden: Annotated[tuple[str, ...], Field(description="joints it never sees")] = ()

        @field_validator("hidden")
        @classmethod
        def _known(cls, hidden: tuple[str, ...]) -> tuple[str, ...]:
            unknown = [name for name in hidden if name not in AZURE_KINECT_32]
            if unknown:
                raise ValueError(f"no joint {unknown[0]!r}")
            return hidden

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stage = stage(options.patient)
        self._axes, self._place = pose_of(options.bearing_deg, options.tilt_deg, options.distance_m, options.height_m)
        self._confidence = np.array([float(name not in options.hidden) for name in AZURE_KINECT_32])
        self._link: Link | None = None
        self._lost = self._dropped = 0

    @property
    def counters(self) -> Counters:
        return Counters(self._lost, self._dropped)

    @property
    def info(self) -> DeviceInfo:
        rate_hz = self._options.rate_hz
        return DeviceInfo("synthetic", _NAME, rate_hz, synthetic=True, gravity="accelerometer")

    def open(self) -> None:
        self.close()
        options = self._options
        self._rng = np.random.default_rng(options.seed)
        self._clock = DeviceClock(options.rate_hz, options.clock_offset_s, options.clock_skew_ppm)
        self._index = -1
        self._lost = self._dropped = 0
        self._due: tuple[int, int] | None = None
        self._link = Link(_NAME, options.delay_ms, self._rng)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame when it arrives. Raises `DeviceLostError` where the camera is not open."""
        link = opened(self._link, _NAME)
        index, arrival_ns = self._due = self._due or self._next(link)
        if not link.wait(arrival_ns, timeout_s):
            return None
        self._due = None
        body = self._see(self._clock.host_ns(index))
        return Frame(index, self._clock.stamp_ns(index), arrival_ns, body=body, up=self._axes[:, 1])

    def _next(self, link: Link) -> tuple[int, int]:
        """The next frame that is not lost, and when it arrives."""
        next_index = self._index + 1
        self._index = self._clock.first_kept(next_index)
        self._dropped += self._index - next_index
        while self._rng.random() < self._options.loss:
            self._index += 1
            self._lost += 1
        return self._index, link.arrival_ns(self._clock.host_ns(self._index))

    def _see(self, host_ns: int) -> Body:
        positions = self._stage.joints(np.array([host_ns * 1e-9]), AZURE_KINECT_32)[0]
        positions = positions + self._options.noise_m * self._rng.standard_normal(positions.shape)
        positions[self._confidence == 0] = np.nan
        return Body("azure_kinect_32", (positions - self._place) @ self._axes.T, self._confidence)


def pose_of(
    bearing_deg: float, tilt_deg: float, distance_m: float, height_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3, 3), (3,) m: a point in the camera's axes = rotation @ (the point on the stage - place)."""
    around = Rotation.from_euler("y", bearing_deg, degrees=True)
    place = np.asarray(around.apply((0.0, 0.0, distance_m))) + np.array([0.0, height_m, 0.0])
    tilted = Rotation.from_euler("x", tilt_deg, degrees=True).as_matrix()
    return tilted @ np.diag([1.0, -1.0, -1.0]) @ around.as_matrix().T, place
