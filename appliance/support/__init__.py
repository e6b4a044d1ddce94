"""The bundle for the hospital's IT: how a box is, without its patients and without its secrets."""

from appliance.support.bundle import pack

__all__ = ["pack"]
