"""`alert/<code>`: something is wrong and needs somebody. Retained until it is over."""

from __future__ import annotations

from typing import Literal

from appliance.messages.model import Message, Name, Told, Utc

AlertCode = Literal[
    "broker_unreachable", "broker_refused", "foreign_message",
    "prescription_refused", "reference_refused", "reference_missing",
    "camera_lost", "second_camera_lost", "imu_lost", "indicator_lost", "button_lost", "camera_moved",
    "fall_suspected", "no_response", "limit_exceeded",
    "storage_failed", "recording_failed", "erasing_failed", "outbox_damaged", "messages_dropped",
    "software_fault", "update_refused", "certificate_expiring",
]  # fmt: skip
"""What this version raises; the README says what each means. A message may hold another: of a newer version."""


class Alert(Message):
    """One thing that is wrong, or no longer is.

    Raised alerts are retained. When one is over, `cleared` is published for those who listen, not retained, and an
    empty retained message takes the raised one off the broker.
    """

    code: Name
    """What kind of trouble; the same code is the same alert."""
    state: Literal["raised", "cleared"]
    """Whether it is still so."""
    since: Utc
    """When the state began."""
    what: Told
    """What is wrong, in one sentence."""
    remedy: str
    """What to do about it, in one sentence."""
