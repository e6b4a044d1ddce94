"""Body-worn IMUs on the virtual patient, all behind one receiver, as a set of Xsens MTw Awinda is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hal.types import SEGMENTS, Counters, DeviceInfo, ImuSample
from hal.virtual.clock import DeviceClock, Link, opened
from hal.virtual.rotations import from_small_vectors, multiply
from hal.virtual.stage import stage

_NAME = "synthetic IMU set"
SILENCE_S = 1.0
"""As the real ones have it: a sensor that sent nothing for so long is silent."""
_BATCH_S = 0.05
"""Samples are computed and delivered this many seconds at a time, which is what keeps 17 sensors at 96 Hz cheap."""


class SyntheticImuSet:
    """Delivers in real time. It does not simulate a magnetometer, a slipping sensor, a drifting bias, a lost receiver.

    A sensor's axes are those of the segment it is worn on: upright with hanging arms x left, y up, z front; the world
    its orientation refers to has the same axes. Samples share the receiver's clock and are lost sensor by sensor.
    """

    capabilities: ClassVar[tuple[str, ...]] = ("acceleration", "rotation", "orientation", "10 to 400 Hz", "synthetic")

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        patient: Annotated[str, Field(min_length=1, description="who wears it; drivers that name the same meet")] = (
            "demo"
        )
        seed: Annotated[int, Field(ge=0, description="of noise, biases, losses and delays")] = 0
        rate_hz: Annotated[float, Field(ge=10, le=400)] = 96.0
        segments: Annotated[tuple[str, ...], Field(min_length=1, description="where sensors are worn")] = SEGMENTS
        acceleration_noise: Annotated[float, Field(ge=0, description="m/s^2, standard deviation")] = 0.03
        gyro_noise: Annotated[float, Field(ge=0, description="rad/s, standard deviation")] = 0.005
        gyro_bias: Annotated[float, Field(ge=0, description="rad/s, standard deviation between sensors")] = 0.005
        orientation_noise_deg: Annotated[float, Field(ge=0, le=20, description="of each axis, standard deviation")] = (
            0.3
        )
        loss: Annotated[float, Field(ge=0, lt=1, description="share of samples lost")] = 0.02
        falls_silent_s: Annotated[
            dict[str, float], Field(description="by segment: seconds from opening until its sensor sends no more")
        ] = {}
        delay_ms: Annotated[float, Field(ge=0, le=1000, description="mean of the exponential delay")] = 5.0
        clock_offset_s: Annotated[float, Field(ge=0, description="its clock when opened")] = 7300.25
        clock_skew_ppm: Annotated[float, Field(ge=-1000, le=1000, description="how much its clock runs fast")] = -18.0

        @field_validator("segments")
        @classmethod
        def _known(cls, segments: tuple[str, ...]) -> tuple[str, ...]:
            unknown = [name for name in segments if name not in SEGMENTS]
            if unknown or len(set(segments)) < len(segments):
                raise ValueError(f"no segment {unknown[0]!r}" if unknown else "a segment is named twice")
            return segments

        @model_validator(mode="after")
        def _worn(self) -> Self:
            for name in self.falls_silent_s:
                if name not in self.segments:
                    raise ValueError(f"falls_silent_s: no sensor on {name!r}")
            return self

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stage = stage(options.patient)
        self._worn = np.array([SEGMENTS.index(name) for name in options.segments])
        self._link: Link | None = None
        self._until_s = np.array([options.falls_silent_s.get(name, np.inf) for name in options.segments])
        self._heard_s = np.full(len(options.segments), -np.inf)
        self._lost = self._dropped = 0

    @property
    def silent(self) -> tuple[str, ...]:
        """Segments whose sensors sent nothing for a second while others did; all before it is opened."""
        latest_s = self._heard_s.max()
        there = (self._heard_s >= latest_s - SILENCE_S) & np.isfinite(latest_s)
        return tuple(name for name, heard in zip(self._options.segments, there, strict=True) if not heard)

    @property
    def counters(self) -> Counters:
        return Counters(self._lost, self._dropped)

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("synthetic", _NAME, self._options.rate_hz, synthetic=True, gravity="accelerometer")

    def open(self) -> None:
        self.close()
        options = self._options
        self._rng = np.random.default_rng(options.seed)
        self._clock = DeviceClock(options.rate_hz, options.clock_offset_s, options.clock_skew_ppm)
        self._bias = options.gyro_bias * self._rng.standard_normal((len(options.segments), 3))
        self._tick = 0
        self._opened_ns = time.monotonic_ns()
        self._heard_s[:] = self._opened_ns * 1e-9
        self._lost = self._dropped = 0
        self._due: tuple[range, int] | None = None
        self._link = Link(_NAME, options.delay_ms, self._rng)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """The next batch when it arrives. Raises `DeviceLostError` where the set is not open."""
        link = opened(self._link, _NAME)
        ticks, arrival_ns = self._due = self._due or self._next(link)
        if not link.wait(arrival_ns, timeout_s):
            return ()
        self._due = None
        return self._measure(ticks, arrival_ns)

    def _next(self, link: Link) -> tuple[range, int]:
        """The ticks of the next batch, and when it arrives."""
        first = self._clock.first_kept(self._tick)
        self._dropped += (first - self._tick) * len(self._worn)
        self._tick = first + max(1, round(_BATCH_S * self._options.rate_hz))
        return range(first, self._tick), link.arrival_ns(self._clock.host_ns(self._tick - 1))

    def _measure(self, ticks: range, arrival_ns: int) -> list[ImuSample]:
        options, rng = self._options, self._rng
        motion = self._stage.motion(np.array([self._clock.host_ns(tick) for tick in ticks]) * 1e-9)
        shape = (len(ticks), len(self._worn), 3)
        felt = motion.acceleration[:, self._worn] + options.acceleration_noise * rng.standard_normal(shape)
        turned = motion.angular_velocity[:, self._worn] + self._bias + options.gyro_noise * rng.standard_normal(shape)
        wrong = from_small_vectors(np.radians(options.orientation_noise_deg) * rng.standard_normal(shape))
        orientation = multiply(motion.orientation[:, self._worn], wrong)
        open_s = np.array([self._clock.host_ns(tick) - self._opened_ns for tick in ticks]) * 1e-9
        sent = open_s[:, None] < self._until_s
        kept = (rng.random(shape[:2]) >= options.loss) & sent
        self._lost += int(np.count_nonzero(sent & ~kept))
        self._heard_s[kept.any(axis=0)] = arrival_ns * 1e-9
        return [
            ImuSample(
                options.segments[sensor],
                ticks[row],
                self._clock.stamp_ns(ticks[row]),
                arrival_ns,
                felt[row, sensor],
                turned[row, sensor],
                orientation[row, sensor],
            )
            for row, sensor in np.argwhere(kept).tolist()
        ]
