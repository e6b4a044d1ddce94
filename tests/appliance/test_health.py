"""What `health` says of devices and machine, worked out from what was counted."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.devices import what_failed
from appliance.health import HealthWatch, rate, warmest
from appliance.hospital.outbox import Outbox
from hal.recovery import Condition
from hal.types import DeviceInfo

INFO = DeviceInfo("synthetic", "the device", 30.0)


class Conditions:
    """Stands in for the devices' side: their conditions, as a test sets them."""

    def __init__(self, **conditions: Condition) -> None:
        self.now = conditions

    def conditions(self) -> dict[str, tuple[DeviceInfo, Condition]]:
        return {role: (INFO, condition) for role, condition in self.now.items()}


def test_a_rate_is_of_one_sensor_and_of_the_time_in_use() -> None:
    before = Condition("ok", open_s=10.0, received=17 * 960, sources=17)
    now = Condition("ok", open_s=12.0, received=17 * 1150, sources=17)
    assert rate(before, now) == pytest.approx(95.0)
    assert rate(now, now) is None
    assert rate(before, Condition("ok", open_s=12.0)) is None


def test_silent_sensors_and_the_receivers_battery_are_told_and_lower_the_rate(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path, lambda payload: [])) as outbox:
        devices = Conditions(
            camera=Condition("ok"),
            imu=Condition("ok", open_s=2.0, received=90, sources=3, silent=("head",), battery_percent=87),
        )
        watch = HealthWatch("box-1", devices, outbox, tmp_path, thermal=tmp_path)  # type: ignore[arg-type]
        told = watch.collect(None).devices
    assert (told["imu"].silent, told["imu"].battery_percent, told["imu"].rate_hz) == (("head",), {"receiver": 87}, 15.0)
    assert (told["camera"].silent, told["camera"].battery_percent) == ((), None)


def test_a_result_names_sensors_that_were_silent_in_its_own_set_only() -> None:
    quiet = Conditions(imu=Condition("idle", received=960, fell_silent=("left_hand", "head"))).conditions()
    later = Conditions(imu=Condition("idle", received=1920, fell_silent=("left_foot",))).conditions()
    assert what_failed(Conditions(imu=Condition("idle")).conditions(), quiet) == (  # type: ignore[arg-type]
        "imu sensors silent in the set: left_hand, head",
    )
    assert what_failed(quiet, later) == ("imu sensors silent in the set: left_foot",)  # type: ignore[arg-type]
    assert what_failed(quiet, quiet) == ()  # type: ignore[arg-type]


def test_the_warmest_sensor_counts_and_one_that_cannot_be_read_does_not(tmp_path: Path) -> None:
    assert warmest(tmp_path) is None
    for zone, text in enumerate(("41500\n", "63200\n", "off\n", "")):
        (tmp_path / f"thermal_zone{zone}").mkdir()
        (tmp_path / f"thermal_zone{zone}" / "temp").write_text(text)
    assert warmest(tmp_path) == 63.2


def test_health_holds_queue_disk_and_each_devices_counters(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, lambda payload: [])
    devices = Conditions(
        camera=Condition("lost", "its cable is out", interruptions=2, attempts=7, away_s=3.5, lost=4),
        imu=Condition("ok", open_s=2.0, received=60, sources=1, counters=(("lost", 3), ("bad_checksums", 1))),
    )
    watch = HealthWatch("box-1", devices, outbox, tmp_path, thermal=tmp_path)  # type: ignore[arg-type]
    before = datetime.now(UTC)
    outbox.put("a/topic", b"{}")
    outbox.refused()
    health = watch.collect(sync_error_ms=1.5)
    assert (health.queued, health.delivered, health.refused, health.rebuilt, health.dropped) == (1, 0, 1, 0, {})
    assert health.oldest_unsent is not None
    assert before <= health.oldest_unsent <= health.at
    camera, imu = health.devices["camera"], health.devices["imu"]
    assert (camera.state, camera.error, camera.interruptions, camera.attempts) == ("lost", "its cable is out", 2, 7)
    assert (camera.rate_hz, camera.expected_hz, camera.sync_error_ms) == (None, 30.0, None)
    assert (imu.rate_hz, imu.sync_error_ms, imu.counters) == (30.0, 1.5, {"lost": 3, "bad_checksums": 1})
    devices.now["imu"] = Condition("ok", open_s=4.0, received=100, sources=1)
    assert watch.collect(None).devices["imu"].rate_hz == 20.0
    outbox.close()


def test_a_result_names_the_devices_that_failed_meanwhile_and_only_those() -> None:
    before = Conditions(
        camera=Condition("idle", interruptions=3, away_s=9.0), imu=Condition("idle"), indicator=Condition("ok")
    )
    after = Conditions(
        camera=Condition("idle", interruptions=4, away_s=11.5),
        imu=Condition("lost", "no receiver", interruptions=1),
        indicator=Condition("ok"),
    )
    assert what_failed(before.conditions(), before.conditions()) == ()  # type: ignore[arg-type]
    assert what_failed(before.conditions(), after.conditions()) == (  # type: ignore[arg-type]
        "camera interrupted 1 x, 2.5 s in all",
        "imu lost: no receiver",
    )
