"""Settings of the Xbus driver: which port, which sensor on which segment, how fast."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hal.imu.mounting import Rotation
from hal.imu.xbus_frames import BUS_IDS, MASTER
from hal.types import SEGMENTS

_MESSAGE_BYTES = 47
"""Frame 5, counter 5, time 7, acceleration 15, rate of turn 15."""
_ORIENTATION_BYTES = 19
_BITS_A_BYTE = 10
"""On the line: start, eight, stop."""

_DeviceId = Annotated[str, Field(pattern="^[0-9A-Fa-f]{8}$"), AfterValidator(str.upper)]


class XbusOptions(BaseModel):
    """Settings of the driver. `sensors` maps bus identifiers to segments; 255 is a single MTi on its own line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: str
    baudrate: int = Field(default=2_000_000, ge=4800, le=4_000_000)
    sensors: dict[int, str] = Field(default_factory=lambda: dict(enumerate(SEGMENTS, start=1)), min_length=1)
    device_ids: dict[int, _DeviceId] = {}
    """By bus identifier: the number on the sensor itself, eight hex digits. Where another answers, it is not opened."""
    rate_hz: int = Field(default=96, ge=1, le=400)
    orientation: bool = True
    """Whether the sensors' own orientation is sent along."""
    mounting: dict[str, Rotation] = {}
    """By segment: the rotation from sensor axes to segment axes, w, x, y, z. Left out: the axes are the same."""
    queue_s: float = Field(default=5.0, gt=0, le=600)
    """How many seconds of samples wait for a reader before the oldest are dropped and counted."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for bus_id in self.sensors:
            if bus_id not in BUS_IDS:
                raise ValueError(f"sensors: bus identifier {bus_id} is neither 1 to 32 nor {MASTER}")
        for bus_id in self.device_ids:
            if bus_id not in self.sensors:
                raise ValueError(f"device_ids: there is no sensor {bus_id} in `sensors`")
        if len(set(self.device_ids.values())) < len(self.device_ids):
            raise ValueError("device_ids: one of them is named twice")
        for segment in (*self.sensors.values(), *self.mounting):
            if segment not in SEGMENTS:
                raise ValueError(f"there is no segment {segment!r}; choose from {', '.join(SEGMENTS)}")
        if len(set(self.sensors.values())) < len(self.sensors):
            raise ValueError("sensors: two of them are on one segment")
        message_bytes = _MESSAGE_BYTES + _ORIENTATION_BYTES * self.orientation
        needed = len(self.sensors) * self.rate_hz * message_bytes * _BITS_A_BYTE
        if needed > self.baudrate:
            raise ValueError(
                f"baudrate: {len(self.sensors)} sensors at {self.rate_hz} Hz need {needed} baud; raise it, lower "
                "rate_hz, or set orientation = false"
            )
        return self
