"""Cameras joined by a sync cable: which of them triggers the others, and in which order they are started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from hal.errors import DriverOptionError

Sync = Literal["standalone", "primary", "subordinate"]
Name = TypeVar("Name")
Device = TypeVar("Device")


def sync_of(device: object) -> Sync:
    """A driver's place on the cable, or that of its options; most drivers know of no cable."""
    found: Sync = getattr(device, "sync", "standalone")
    return found


def start_order(devices: Mapping[Name, Device]) -> dict[Name, Device]:
    """The same devices, or their options, subordinates first: the primary's start is the one trigger for all of them.

    Raises `DriverOptionError` for subordinates without exactly one primary, and for a primary beside others that do not
    listen to it.
    """
    ordered = dict(sorted(devices.items(), key=lambda item: sync_of(item[1]) != "subordinate"))
    places = [sync_of(device) for device in ordered.values()]
    primaries, subordinates = places.count("primary"), places.count("subordinate")
    if primaries > 1 or (subordinates and not primaries):
        raise DriverOptionError(f'camera.sync: subordinates need exactly one "primary", there are {primaries}')
    if len(places) > 1 and primaries and "standalone" in places:
        raise DriverOptionError(
            'camera.sync: beside a "primary" the others are "subordinate"; without a cable all are "standalone"'
        )
    return ordered
