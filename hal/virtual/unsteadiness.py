"""What nobody can hold still: the sway of someone upright, and the tremor of everybody's hands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hal.virtual.movements import Position
from hal.virtual.performance import Style
from hal.virtual.posture import INDEX, SIDES
from hal.virtual.rotations import Floats

_SWAY_HZ = np.array([0.11, 0.23, 0.41, 0.67])
_TREMOR_HZ = np.array([4.3, 5.1, 5.9])
_SWAYS: dict[Position, float] = {"standing": 1.0, "seated": 0.5, "supine": 0.0}


@dataclass(frozen=True, slots=True)
class Unsteadiness:
    """Of one person; degrees as in `Style`. sway_phases: (2, 4) radians, tremor_phases: (2, 3)."""

    sway_deg: float
    tremor_deg: float
    sway_phases: Floats
    tremor_phases: Floats

    def add(self, angles: Floats, times: Floats, position: Position) -> None:
        """Adds it to angles (n, 28), degrees, at these times (n,)."""
        sway = self.sway_deg * _SWAYS[position]
        if sway:
            for name, phases in zip(("pelvis.pitch", "pelvis.lean"), self.sway_phases, strict=True):
                waves = np.sin(2.0 * np.pi * np.outer(times, _SWAY_HZ) + phases)
                angles[:, INDEX[name]] += sway * waves.sum(axis=1) / np.sqrt(len(_SWAY_HZ) / 2.0)
        if self.tremor_deg:
            for side, phases in zip(SIDES, self.tremor_phases, strict=True):
                waves = np.sin(2.0 * np.pi * np.outer(times, _TREMOR_HZ) + phases)
                angles[:, INDEX[f"{side}.wrist.flexion"]] += self.tremor_deg * waves.sum(axis=1)


def unsteadiness(style: Style, rng: np.random.Generator) -> Unsteadiness:
    return Unsteadiness(
        style.sway_deg,
        style.tremor_deg,
        rng.uniform(0.0, 2.0 * np.pi, (2, len(_SWAY_HZ))),
        rng.uniform(0.0, 2.0 * np.pi, (2, len(_TREMOR_HZ))),
    )
