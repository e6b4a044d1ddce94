"""Collects what `health` says; reading it costs nothing worth mentioning."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from appliance.devices import Devices, Role
from appliance.hospital.outbox import Outbox
from appliance.messages.health import DeviceHealth, Health
from hal.recovery import Condition
from hal.types import DeviceInfo

THERMAL = Path("/sys/class/thermal")
LEAST_S = 1.0
"""A rate is not told from less time in use (ours)."""


class HealthWatch:
    """One thread asks. Rates are those since it asked before."""

    def __init__(self, box: str, devices: Devices, outbox: Outbox, state: Path, thermal: Path = THERMAL) -> None:
        """state: a folder on the disk to watch. thermal: the kernel's folder of thermal zones."""
        self._box, self._devices, self._outbox, self._state, self._thermal = box, devices, outbox, state, thermal
        self._started_s = time.monotonic()
        self._before: dict[Role, Condition] = {}

    def collect(self, sync_error_ms: float | None) -> Health:
        """Raises `OutboxError`. sync_error_ms: of the last recorded exercise."""
        disk = shutil.disk_usage(self._state)
        queue = self._outbox.counters()
        return Health(
            box=self._box,
            at=datetime.now(UTC),
            uptime_s=time.monotonic() - self._started_s,
            devices={
                role: self._device(role, info, condition, sync_error_ms if role == "imu" else None)
                for role, (info, condition) in self._devices.conditions().items()
            },
            disk_free_bytes=disk.free,
            disk_bytes=disk.total,
            temperature_c=warmest(self._thermal),
            queued=queue.queued,
            oldest_unsent=queue.oldest,
            delivered=queue.delivered,
            refused=queue.refused,
            rebuilt=queue.rebuilt,
            dropped=queue.dropped,
        )

    def _device(self, role: Role, info: DeviceInfo, now: Condition, sync_error_ms: float | None) -> DeviceHealth:
        rate_hz = rate(self._before.get(role, Condition("idle")), now)
        self._before[role] = now
        return DeviceHealth(
            driver=info.driver,
            name=info.name,
            state=now.state,
            error=now.error,
            rate_hz=rate_hz,
            expected_hz=info.rate_hz or None,
            received=now.received,
            lost=now.lost,
            interruptions=now.interruptions,
            attempts=now.attempts,
            away_s=now.away_s,
            counters={name: count for name, count in now.counters if count >= 0},
            silent=now.silent,
            battery_percent=None if now.battery_percent is None else {"receiver": now.battery_percent},
            sync_error_ms=sync_error_ms,
        )


def rate(before: Condition, now: Condition) -> float | None:
    """Mean of the sources there should be, between two looks, while open; None where that was too short to tell."""
    open_s = now.open_s - before.open_s
    if open_s < LEAST_S or not now.sources:
        return None
    return (now.received - before.received) / now.sources / open_s


def warmest(thermal: Path) -> float | None:
    """Degrees Celsius of the warmest thermal zone; None without any."""
    degrees = []
    for file in thermal.glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):  # a zone whose sensor is switched off refuses to be read
            degrees.append(int(file.read_text("ascii")) / 1000)
    return max(degrees, default=None)
