"""What a comparison may be told; the defaults are HS-BTW's, or ours where section 2-4 says so."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from appliance.errors import SettingsError
from appliance.exercises import Exercise, Root
from appliance.skeleton.standard import INDEX, JOINTS


@dataclass(frozen=True, slots=True)
class ScoringOptions:
    """Options of one comparison. Raises `SettingsError`, naming the option, for a value out of range.

    joints: names of the joints that enter the distance; kept in the skeleton's order, each once.
    root: what is subtracted, see `appliance.skeleton.normalise`.
    rate_hz: both recordings are brought to it, 1..1000 Hz.
    window_s: the alignment's window W in seconds, before the bound of a quarter of the base (ours).
    smoothness: lambda per (1/30 s)^2 (ours: 0.01).
    phi_deg: the angle of the balance, 0..90; without one there is no D, only its two parts.
    """

    joints: tuple[str, ...] = JOINTS
    root: Root = "pelvis"
    rate_hz: float = 30.0
    window_s: float = 2.0
    smoothness: float = 0.01
    phi_deg: float | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.joints if name not in INDEX]
        if unknown:
            raise SettingsError(f"joints: no joint {unknown[0]!r}; there are {', '.join(JOINTS)}")
        if not self.joints:
            raise SettingsError("joints: at least one joint is needed")
        if self.root not in get_args(Root):
            raise SettingsError(f"root: {self.root!r} is none of {', '.join(get_args(Root))}")
        _check("rate", self.rate_hz, 1.0, 1000.0)
        _check("window-s", self.window_s, 0.0, math.inf)
        _check("smoothness", self.smoothness, 0.0, math.inf)
        if self.phi_deg is not None:
            _check("phi", self.phi_deg, 0.0, 90.0)
        object.__setattr__(self, "joints", tuple(name for name in JOINTS if name in self.joints))

    @property
    def joint_indices(self) -> list[int]:
        return [INDEX[name] for name in self.joints]

    @property
    def unit(self) -> str:
        """What distances are measured in, in words."""
        return "shoulder widths" if self.root == "thorax" else "trunk lengths"

    @property
    def smoothness_per_frame(self) -> float:
        """lambda for a shift counted in frames of `rate_hz`: one frame is 30 / rate_hz thirtieths of a second."""
        return self.smoothness * (30.0 / self.rate_hz) ** 2

    def window_frames(self, base_frames: int) -> int:
        """W = min(window, n // 4) frames."""
        return min(round(min(self.window_s * self.rate_hz, base_frames)), base_frames // 4)


def options_for(exercise: Exercise) -> ScoringOptions:
    """The options an exercise's file asks for."""
    return ScoringOptions(joints=exercise.joints, root=exercise.root)


def _check(option: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high and math.isfinite(value)):
        bounds = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
        raise SettingsError(f"{option}: {value} is out of range; it takes a number, {bounds}")
