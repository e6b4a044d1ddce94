"""`health`: how box and devices are, every half minute; lost where nobody listens, and out of date soon."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from appliance.messages.model import Count, Message, Number, Told, Utc


class DeviceHealth(Message):
    """One device. Counts are since the box's software started."""

    driver: str
    """As named in the settings."""
    name: str
    """The device's own name, with its serial number where it has one."""
    state: Literal["idle", "ok", "recovering", "lost"]
    """`idle`: not in use now. `recovering`: lost, and being brought back. `lost`: given up, see the alert."""
    error: Told | None
    """Why it is recovering or lost; null otherwise."""
    rate_hz: Number
    """Measured since the last such message while the device was in use, of one sensor; null where it was not.

    The mean over the sensors there should be: silent ones lower it.
    """
    expected_hz: Number
    """What the device should give; null where it has no rate."""
    received: Count
    """Frames, or samples of all sensors."""
    lost: Count
    """Frames or samples that gaps in the device's counters prove missing."""
    interruptions: Count
    """Times the device was lost."""
    attempts: Count
    """Attempts to bring it back."""
    away_s: float = Field(ge=0)
    """Time from each loss to the return, in all, s."""
    counters: dict[str, Count] = Field(examples=[{"lost": 3, "dropped": 0, "bad_checksums": 1}])
    """The driver's own, all openings together."""
    silent: tuple[str, ...] = Field(examples=[["left_hand", "right_foot"]])
    """Segments whose sensors are missing while the others are heard; of a device not in use now, when it last was."""
    battery_percent: dict[str, Annotated[int, Field(ge=0, le=100)]] | None = Field(examples=[{"receiver": 87}])
    """By segment, and `receiver` for the receiver's own; null where the device reports none."""
    sync_error_ms: Number
    """Estimated error against the camera's clock in the last recorded exercise, ms; null for the camera."""


class Health(Message):
    """The box now."""

    box: str
    """The box's id."""
    at: Utc
    """When it was so."""
    uptime_s: float = Field(ge=0)
    """Since the software started, s."""
    devices: dict[str, DeviceHealth]
    """By role: camera, second_camera, imu, indicator."""
    disk_free_bytes: Count
    """Where sessions and unsent messages are kept."""
    disk_bytes: Count
    """Size of that disk."""
    temperature_c: Number
    """The warmest of the machine's sensors, degrees Celsius; null where it has none."""
    queued: Count
    """Messages that the broker has not confirmed."""
    oldest_unsent: Utc | None
    """When the first of them was put into the queue; null where none waits."""
    delivered: Count
    """Messages that brokers have confirmed, over the box's life."""
    refused: Count = 0
    """Times that a broker did not take a message; it stays in the queue."""
    rebuilt: Count = 0
    """Results that were queued again after the queue was lost; some arrive twice."""
    dropped: dict[str, Count] = Field(default_factory=dict, examples=[{"session": 12}])
    """Messages lost for good, over the box's life, by kind of topic: the queue was full, or a file was unreadable."""
