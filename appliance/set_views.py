"""What the cameras of one set have shown so far: each by itself, and all of it as one recording."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from appliance.camera_placement import Placing
from appliance.fusion.views import View, ViewPlacement, join_views
from appliance.pause import DISTURBING
from appliance.track import CameraRole, Skeleton, Track
from hal.types import AbsentReason, Gravity

AWAY_S = 1.0
"""The first camera leads; when it has given nothing for so long, the second one does (ours)."""


class SetViews:
    """One camera, or two in the axes of the first."""

    def __init__(self, gravity: Mapping[CameraRole, Gravity], placing: Callable[[], Placing] | None) -> None:
        """gravity: of the set's cameras. placing: how the second one stands now; None where there is but one."""
        self._tracks = {role: Track(gravity[role]) for role in sorted(gravity)}
        self._host_ns: dict[CameraRole, list[int]] = {role: [] for role in self._tracks}
        self._placing = placing
        self.placement: ViewPlacement | None = None
        """Of the second camera, as the views were joined last; None where they were not."""
        self._fault: str | None = None
        self._newest_ns: dict[CameraRole, int] = {}
        self._disturbed: AbsentReason | None = None

    def leads(self, skeleton: Skeleton, host_ns: int) -> bool:
        """Whether this camera's frames tell who is in view; to be asked of every frame, in order of arrival."""
        began_ns = self._newest_ns.setdefault("camera", host_ns)
        self._newest_ns[skeleton.camera] = host_ns
        return skeleton.camera == "camera" or host_ns - began_ns > AWAY_S * 1e9

    def admitted(self, skeleton: Skeleton) -> Skeleton:
        """What of a frame may be joined: while the first camera sees somebody else, the second tells nothing."""
        if skeleton.camera == "camera":
            self._disturbed = skeleton.absent if skeleton.absent in DISTURBING else None
        elif self._disturbed is not None and skeleton.seen:
            return skeleton.unseen(self._disturbed)
        return skeleton

    def add(self, skeleton: Skeleton, host_ns: int) -> None:
        """host_ns: when it was, on the host's clock."""
        if self._tracks[skeleton.camera].add(skeleton):
            self._host_ns[skeleton.camera].append(host_ns)

    @property
    def cameras(self) -> Collection[CameraRole]:
        """Which there are."""
        return self._tracks.keys()

    @property
    def frames(self) -> int:
        """Kept of all cameras."""
        return sum(len(track) for track in self._tracks.values())

    @property
    def lost(self) -> int:
        """Frames that the cameras counted and the box never had in order."""
        return sum(track.lost for track in self._tracks.values())

    @property
    def note(self) -> str | None:
        """Why the views were not joined; None where they were, or where there is but one."""
        return None if self._fault is None else f"scored from one camera's view: {self._fault}"

    def joined(self) -> View:
        """All so far, in the axes and on the clock of the first camera, or of the one that saw more."""
        views = [self._view(role) for role in self._tracks]
        if self._placing is None:
            return views[0]
        self.placement = self._placed(self._placing, views)
        return join_views(views[0], views[1], self.placement)

    def _placed(self, placing: Callable[[], Placing], views: Sequence[View]) -> ViewPlacement | None:
        """One for the whole set; and a calibration that was wrong at any time of it is not believed again."""
        if any(view.recording.planar for view in views):
            self._fault = "a flat picture tells no place in space"
        if self._fault is not None:
            return None
        now = placing()
        self._fault = now.fault
        return None if now.fault is not None else self.placement or now.placement

    def _view(self, role: CameraRole) -> View:
        return View(self._tracks[role].recording(), np.array(self._host_ns[role], np.float64) / 1e9)
