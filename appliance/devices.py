"""The box's devices, as the settings name them, each behind the recovery ladder, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from appliance.settings import Settings
from hal.protocols import PoseEstimator
from hal.recovering import RecoveringCamera, RecoveringImuSet
from hal.recovering_indicator import RecoveringIndicator
from hal.recovery import Condition, RecoverySettings
from hal.registry import build_camera, build_imu, build_indicator, build_pose
from hal.types import DeviceInfo
from hal.usb_port import UsbPort

Role = Literal["camera", "imu", "indicator"]

REMEDIES: Mapping[Role, str] = {
    "camera": "Check the camera's plug and power.",
    "imu": "Charge and switch on the sensors; check their receiver's plug.",
    "indicator": "Check light and loudspeaker.",
}


@dataclass(frozen=True, slots=True)
class Devices:
    """What a session works with."""

    camera: RecoveringCamera
    pose: PoseEstimator
    imu: RecoveringImuSet | None
    indicator: RecoveringIndicator

    @classmethod
    def of(cls, settings: Settings) -> Devices:
        """Raises `HalError` for settings that no driver takes."""
        recovery = settings.recovery
        imu = build_imu(settings.imu) if settings.imu is not None else None
        return cls(
            camera=RecoveringCamera(build_camera(settings.camera), recovery, _port(recovery, "camera")),
            pose=build_pose(settings.pose),
            imu=RecoveringImuSet(imu, recovery, _port(recovery, "imu")) if imu is not None else None,
            indicator=RecoveringIndicator(build_indicator(settings.indicator)),
        )

    @property
    def synthetic(self) -> bool:
        """Whether the camera shows something else than a person in front of it now."""
        return self.camera.info.synthetic

    def watch(self, on_change: Callable[[Role, Condition], None]) -> None:
        """`on_change` is called in the device's thread when it is lost for good, and when it is back."""
        for role, device in self._recovering().items():
            device.on_change = partial(on_change, role)

    def conditions(self) -> dict[Role, tuple[DeviceInfo, Condition]]:
        """As of now, for any thread."""
        return {role: (device.info, device.condition) for role, device in self._recovering().items()}

    def _recovering(self) -> dict[Role, RecoveringCamera | RecoveringImuSet | RecoveringIndicator]:
        devices: dict[Role, RecoveringCamera | RecoveringImuSet | RecoveringIndicator] = {"camera": self.camera}
        if self.imu is not None:
            devices["imu"] = self.imu
        return devices | {"indicator": self.indicator}


def driver_names(settings: Settings) -> dict[str, str]:
    """Driver by kind of device."""
    tables: Mapping[str, dict[str, Any] | None] = {
        "camera": settings.camera,
        "pose": settings.pose,
        "imu": settings.imu,
        "indicator": settings.indicator,
    }
    return {kind: str(table["driver"]) for kind, table in tables.items() if table is not None}


Conditions = Mapping[Role, tuple[DeviceInfo, Condition]]


def what_failed(before: Conditions, after: Conditions) -> tuple[str, ...]:
    """What a reader of a result must know: which devices and sensors were away between the two, or still are."""
    notes = []
    for role, (_, now) in after.items():
        then = before[role][1]
        if now.error is not None:
            notes.append(f"{role} lost: {now.error}")
        elif now.interruptions > then.interruptions:
            times = now.interruptions - then.interruptions
            notes.append(f"{role} interrupted {times} x, {now.away_s - then.away_s:.1f} s in all")
        if now.fell_silent and now.received > then.received:  # else they are those of a set before
            notes.append(f"{role} sensors silent in the set: {', '.join(now.fell_silent)}")
    return tuple(notes)


def _port(recovery: RecoverySettings, role: Literal["camera", "imu"]) -> UsbPort | None:
    name = recovery.usb_ports.get(role)
    return UsbPort(name) if name is not None else None
