"""The names of limits that a prescription or an exercise file may set: how far which joint may go, degrees.

Elbow and knee: 0 straight. Shoulder: the arm from the hanging one. Hip: the thigh from a straight one. Trunk:
upright 0.
"""

from __future__ import annotations

from collections.abc import Mapping

JOINTS_WITH_LIMITS = ("elbow", "knee", "shoulder", "hip")
LIMITS = (
    *(f"{side}_{joint}_max_deg" for side in ("left", "right") for joint in JOINTS_WITH_LIMITS),
    "trunk_forward_max_deg",
    "trunk_sideways_max_deg",
)


def checked_limits(limits: Mapping[str, float] | None) -> Mapping[str, float] | None:
    """Raises `ValueError` that names the limits there are."""
    for name, value in (limits or {}).items():
        if name not in LIMITS:
            raise ValueError(f"no limit {name!r}; there are {', '.join(LIMITS)}")
        if not 0 < value <= 180:
            raise ValueError(f"{name} is {value:g}; it must be above 0 and at most 180 degrees")
    return limits
