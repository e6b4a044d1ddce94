"""What the network has to know of its inputs' order; a file, since the training environment lacks what the box has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

RISE_AND_PARTS = 6
"""What `appliance.quality.along` looks at: the pelvis's rise, then the five parts of the body, each as long."""


@dataclass(frozen=True, slots=True)
class Layout:
    """phases, channels, features: counts. groups: places in the vector, see `appliance.quality.relative.GROUPS`.
    differences: the channels that say how far the patient is from the reference."""

    phases: int
    channels: int
    features: int
    groups: dict[str, slice]
    differences: slice

    @property
    def own_courses(self) -> slice:
        """The channels of how each part of the body goes the reference's way, without the pelvis's rise."""
        first = self.differences.stop + 1  # behind the tempo
        return slice(first + (self.channels - first) // RISE_AND_PARTS, self.channels)

    @property
    def own_traits(self) -> slice:
        """The vector's numbers likewise."""
        at = self.groups["parts"]
        return slice(at.start + (at.stop - at.start) // RISE_AND_PARTS, at.stop)

    def save(self, path: Path) -> None:
        groups = {name: [at.start, at.stop] for name, at in self.groups.items()}
        of = {"phases": self.phases, "channels": self.channels, "features": self.features, "groups": groups}
        path.write_text(json.dumps(of | {"differences": [self.differences.start, self.differences.stop]}), "utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        of = json.loads(path.read_text("utf-8"))
        groups = {name: slice(*at) for name, at in of.pop("groups").items()}
        return cls(groups=groups, differences=slice(*of.pop("differences")), **of)
