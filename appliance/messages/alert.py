"""`alert/<code>`: something is wrong and needs somebody. Retained until it is over."""

from __future__ import annotations

from typing import Literal

from appliance.messages.model import Message, Name, Utc


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
    what: str
    """What is wrong, in one sentence."""
    remedy: str
    """What to do about it, in one sentence."""
