"""Which sensor is which, whatever bus identifier it answers to.

A master numbers the sensors that it finds from 1, in their order on the cable: one that is dead at the start renumbers
all behind it, and each would then speak for another's limb. Their own device numbers tell (InitBusResults; ours).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from hal.errors import DeviceNotFoundError

_log = logging.getLogger(__name__)


class Identities:
    """What is known of the sensors behind one port: from the settings, or from the openings before."""

    def __init__(self, port: str, sensors: Collection[int], pinned: Mapping[int, str]) -> None:
        """sensors: their bus identifiers in the settings, when all are there. pinned: the device numbers of some of
        these, upper-case hex; the others are learnt."""
        self._port, self._sensors, self._pinned = port, frozenset(sensors), dict(pinned)
        self._known = dict(pinned)

    def places(self, found: Mapping[int, str]) -> dict[int, int]:
        """Which of the settings' identifiers each sensor stands for, by the one that it answers to now.

        found: device numbers by bus identifier. Sensors that the settings do not speak of are left out. Raises
        `DeviceNotFoundError` where a stranger answers in the place of a sensor whose number is known.
        """
        home = {device: place for place, device in self._known.items()}
        places = {}
        for bus_id, device in found.items():
            known = self._known.get(bus_id, device)
            if device == known or device in home:
                places[bus_id] = bus_id if device == known else home[device]
                continue
            if bus_id in self._pinned or known in found.values():
                raise DeviceNotFoundError(
                    f"{self._port}: sensor {bus_id} is {device}, a stranger in the place of {known}; put the right one "
                    "there, or name this one under device_ids in the settings"
                )
            _log.warning("%s: sensor %d was %s and is %s now", self._port, bus_id, known, device)
            places[bus_id] = bus_id
        ours = {bus_id: place for bus_id, place in places.items() if place in self._sensors}
        self._tell(found, ours)
        self._known |= {place: found[bus_id] for bus_id, place in ours.items()}
        return ours

    def _tell(self, found: Mapping[int, str], ours: Mapping[int, int]) -> None:
        if all(self._known.get(place) == found[bus_id] for bus_id, place in ours.items()):
            return
        told = ", ".join(f"{place} = {found[bus_id]}" for bus_id, place in sorted(ours.items()))
        _log.info("%s: the sensors' own numbers: %s", self._port, told)
        if len(ours) < len(self._sensors):
            _log.warning(
                "%s: %d of %d sensors answer, and nothing tells which are missing: the others may stand for wrong "
                "limbs; name all under device_ids in the settings",
                self._port, len(ours), len(self._sensors),
            )  # fmt: skip
