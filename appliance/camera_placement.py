"""How two cameras stand to each other: as they were calibrated, until one of them is seen to stand otherwise.

Gravity and the floor tell (`hal.camera.placement`): each camera is compared with its calibration when it is opened, and
again every ten seconds while it is read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from appliance.fusion.views import ViewPlacement, placement_of
from appliance.track import CameraRole
from hal.calibration import (
    KnownCamera,
    Placement,
    StoredCamera,
    StoredTwoViews,
    compare,
    levelling,
    measure_placement,
    read_two_views,
)
from hal.errors import HalError, StreamEndedError
from hal.protocols import Camera
from hal.types import Frame

_log = logging.getLogger(__name__)

FRAMES = 5
APART_NS = 200_000_000
"""So many frames, so far apart, make one look: the accelerometer's mean has settled, and depth's noise averages out."""
AGAIN_NS = 10_000_000_000
LOOK_S = 4.0
"""Longest wait for a camera's first look at the start."""

NAMES: Mapping[CameraRole, str] = {"camera": "the camera", "second_camera": "the second camera"}
REMEDY = "Put it back as it stood, or run `rehabbox calibrate-cameras` again."


@dataclass(frozen=True, slots=True)
class Placing:
    """placement: of the second camera; None until both were looked at, and where the calibration is known to be wrong:
    then fault says why."""

    placement: ViewPlacement | None = None
    fault: str | None = None


class CameraPlacements:
    """Each camera's own thread tells what it sees; any thread may ask for `now`."""

    def __init__(self, calibration: StoredTwoViews) -> None:
        self.on_change: Callable[[str | None], None] = lambda fault: None
        """Called in a camera's thread with what is wrong, or None when it no longer is."""
        self._calibration = calibration
        self._looks: dict[CameraRole, _Look] = {"camera": _Look(calibration.a), "second_camera": _Look(calibration.b)}
        self._lock = threading.Lock()
        self._told: str | None = None

    @classmethod
    def of(cls, file: Path) -> CameraPlacements:
        """Raises `CalibrationError`."""
        return cls(read_two_views(file))

    def see(self, role: CameraRole, frame: Frame) -> None:
        look = self._looks[role]
        if not look.take(frame):
            return
        with self._lock:
            fault = self._fault()
            if fault == self._told:
                return
            self._told = fault
            if fault is not None:
                _log.warning("%s", fault)
            self.on_change(fault)

    def opened(self, role: CameraRole) -> None:
        """That camera begins anew: its next frames are looked at."""
        self._looks[role].begin()

    def looked(self, role: CameraRole) -> bool:
        """Whether that camera was ever looked at."""
        return self._looks[role].done

    def now(self) -> Placing:
        """As far as is known."""
        fault = self._fault()
        if fault is not None:
            return Placing(fault=fault)
        if not all(look.done for look in self._looks.values()):
            return Placing()
        stored = self._calibration
        first, second = (look.level() for look in self._looks.values())
        return Placing(placement_of(np.array(stored.rotation), np.array(stored.translation_m), first, second))

    def _fault(self) -> str | None:
        faults = [f"{NAMES[role]} {look.fault}" for role, look in self._looks.items() if look.fault is not None]
        return " and ".join(faults) or None


class _Look:
    """One camera compared with how it stood. Written by its own thread only."""

    def __init__(self, stored: StoredCamera) -> None:
        self.fault: str | None = None
        self.done = False
        self._stored = stored
        self._up = None if stored.up is None else np.array(stored.up)
        self._frames: list[Frame] = []
        self._due_ns: int | None = None

    def begin(self) -> None:
        self._frames, self._due_ns = [], None

    def level(self) -> NDArray[np.float64] | None:
        """The turn that its skeletons were made level by; None for a camera that does not know what is up."""
        return None if self._up is None else levelling(self._up)

    def take(self, frame: Frame) -> bool:
        """Whether this frame completes a look."""
        if self._due_ns is not None and frame.stamp_ns < self._due_ns:
            return False
        self._frames.append(replace(frame, color=None, body=None, motion=()))
        self._due_ns = frame.stamp_ns + APART_NS
        if len(self._frames) < FRAMES:
            return False
        found = measure_placement(self._frames)
        self.fault = self._compared(self._frames[-1], found)
        if found is not None:
            self._up = found.up
        self._frames, self._due_ns = [], frame.stamp_ns + AGAIN_NS
        self.done = True
        return True

    def _compared(self, frame: Frame, now: Placement | None) -> str | None:
        stored = self._stored
        if frame.lens is not None and KnownCamera("", frame.lens).lens_sha256 != stored.lens_sha256:
            return f"is not the one that was calibrated ({stored.serial}), or is in another colour mode"
        if stored.placement is None or now is None:
            return None
        moved = compare(stored.placement, now)
        if not moved.noticed:
            return None
        rise = "" if moved.rise_m is None else f", {moved.rise_m * 1000:+.0f} mm higher"
        tilt_deg = max(moved.tilt_deg, moved.floor_tilt_deg or 0.0)
        return f"was moved since the cameras were calibrated ({tilt_deg:.1f} degrees{rise})"


def look_at_start(cameras: Mapping[CameraRole, Camera], placements: CameraPlacements) -> dict[CameraRole, str]:
    """Opens the cameras, in their order, until each was looked at once, and closes them.

    Gives what is wrong with those that cannot be opened; one that is merely away is left to its ladder.
    """
    faults: dict[CameraRole, str] = {}
    for role, camera in cameras.items():
        placements.opened(role)
        try:
            camera.open()
        except HalError as error:
            faults[role] = str(error)
    for role, camera in cameras.items():
        until_s = monotonic() + LOOK_S
        try:
            while role not in faults and not placements.looked(role) and (left_s := until_s - monotonic()) > 0:
                frame = camera.read(left_s)
                if frame is not None:
                    placements.see(role, frame)
        except StreamEndedError:
            continue
        except HalError as error:
            faults[role] = str(error)
    for camera in cameras.values():
        camera.close()
    return faults
