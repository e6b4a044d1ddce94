"""`status`: whether a box is there, and what runs on it. Retained; the broker publishes `lost` on its behalf."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from appliance.messages.model import Count, Message, Utc

State = Literal["online", "stopped", "lost"]


class Status(Message):
    """A box's birth (`online`), its clean end (`stopped`), or the end the broker noticed (`lost`: the last will)."""

    state: State
    """`online` from the connection on, `stopped` after a clean end, `lost` when the broker missed the box."""
    connection: Count
    """Counts the box's connections over its life. A `lost` belongs to the `online` with the same number."""
    since: Utc
    """When the state began. For `lost`, when the connection began: the will is written before it."""
    software: str
    """Version of the box's software."""
    model: str | None
    """Name and version of the quality classifier; null where none is installed."""
    weights: str | None
    """SHA-256 over the FineRehab weights of all exercises; null where none has any."""
    drivers: dict[str, str] = Field(examples=[{"camera": "azure_kinect", "pose": "mediapipe"}])
    """Driver by kind of device, as named in the settings."""
    sbom_sha256: str | None
    """SHA-256 of the software's bill of materials, 64 hexadecimal digits; null where it was installed without one."""
