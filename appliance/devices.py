"""The box's devices, as the settings name them, each behind the recovery ladder, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from appliance.camera_placement import CameraPlacements
from appliance.messages.alert import AlertCode
from appliance.settings import Settings
from appliance.track import CameraRole
from hal.protocols import PoseEstimator
from hal.recovering import RecoveringCamera, RecoveringImuSet
from hal.recovering_button import RecoveringButton
from hal.recovering_indicator import RecoveringIndicator
from hal.recovery import Condition, RecoverySettings
from hal.registry import build_button, build_camera, build_imu, build_indicator, build_pose
from hal.types import DeviceInfo
from hal.usb_port import UsbPort
from hal.wired_sync import start_order

Role = CameraRole | Literal["imu", "indicator", "button"]
Recovering = RecoveringCamera | RecoveringImuSet | RecoveringIndicator | RecoveringButton

LOST: Mapping[Role, AlertCode] = {
    "camera": "camera_lost",
    "second_camera": "second_camera_lost",
    "imu": "imu_lost",
    "indicator": "indicator_lost",
    "button": "button_lost",
}
REMEDIES: Mapping[Role, str] = {
    "camera": "Check the camera's plug and power.",
    "second_camera": "Check the second camera's plug and power.",
    "imu": "Charge and switch on the sensors; check their receiver's plug.",
    "indicator": "Check light and loudspeaker.",
    "button": "Check the button's plug.",
}


@dataclass(frozen=True, slots=True)
class Eye:
    """A camera, and the pose network that looks through it."""

    camera: RecoveringCamera
    pose: PoseEstimator


@dataclass(frozen=True, slots=True)
class Devices:
    """What a session works with. eyes: in the order in which the cameras are to be started.

    placements: where there are two cameras, how they stand to each other.
    """

    eyes: Mapping[CameraRole, Eye]
    placements: CameraPlacements | None
    imu: RecoveringImuSet | None
    indicator: RecoveringIndicator
    button: RecoveringButton

    @classmethod
    def of(cls, settings: Settings) -> Devices:
        """Raises `HalError` for settings that no driver takes."""
        recovery = settings.recovery
        cameras = start_order({role: build_camera(table) for role, table in settings.cameras.items()})
        imu = build_imu(settings.imu) if settings.imu is not None else None
        return cls(
            eyes={
                role: Eye(RecoveringCamera(camera, recovery, _port(recovery, role)), build_pose(settings.pose))
                for role, camera in cameras.items()
            },
            placements=CameraPlacements.of(settings.second_camera.calibration) if settings.second_camera else None,
            imu=RecoveringImuSet(imu, recovery, _port(recovery, "imu")) if imu is not None else None,
            indicator=RecoveringIndicator(build_indicator(settings.indicator)),
            button=RecoveringButton(build_button(settings.button)),
        )

    @property
    def cameras(self) -> dict[CameraRole, RecoveringCamera]:
        """In the order in which they are to be started."""
        return {role: eye.camera for role, eye in self.eyes.items()}

    @property
    def synthetic(self) -> bool:
        """Whether a camera shows something else than a person in front of it now."""
        return any(camera.info.synthetic for camera in self.cameras.values())

    def presses(self) -> int:
        """How often the button was pressed since it was asked before."""
        return self.button.presses()

    def watch(self, on_change: Callable[[Role, Condition], None]) -> None:
        """`on_change` is called in the device's thread when it is lost for good, and when it is back."""
        for role, device in self._recovering().items():
            device.on_change = partial(on_change, role)

    def conditions(self) -> dict[Role, tuple[DeviceInfo, Condition]]:
        """As of now, for any thread."""
        return {role: (device.info, device.condition) for role, device in self._recovering().items()}

    def _recovering(self) -> dict[Role, Recovering]:
        imu: list[tuple[Role, Recovering]] = [] if self.imu is None else [("imu", self.imu)]
        button: list[tuple[Role, Recovering]] = [("button", self.button)] if self.button.there else []
        return dict([*self.cameras.items(), *imu, ("indicator", self.indicator), *button])


def driver_names(settings: Settings) -> dict[str, str]:
    """Driver by kind of device."""
    tables: list[tuple[str, Mapping[str, Any] | None]] = [
        *settings.cameras.items(),
        ("pose", settings.pose),
        ("imu", settings.imu),
        ("indicator", settings.indicator),
        ("button", settings.button if settings.button["driver"] != "none" else None),
    ]
    return {kind: str(table["driver"]) for kind, table in tables if table is not None}


Conditions = Mapping[Role, tuple[DeviceInfo, Condition]]


def what_failed(before: Conditions, after: Conditions) -> tuple[str, ...]:
    """What a reader of a result must know: which devices and sensors were away between the two, or still are."""
    notes = []
    for role, (_, now) in after.items():
        then = before[role][1]
        name = role.replace("_", " ")
        if now.error is not None:
            notes.append(f"{name} lost: {now.error}")
        elif now.interruptions > then.interruptions:
            times = now.interruptions - then.interruptions
            notes.append(f"{name} interrupted {times} x, {now.away_s - then.away_s:.1f} s in all")
        if now.fell_silent and now.received > then.received:  # else they are those of a set before
            notes.append(f"{name} sensors silent in the set: {', '.join(now.fell_silent)}")
    return tuple(notes)


def _port(recovery: RecoverySettings, role: CameraRole | Literal["imu"]) -> UsbPort | None:
    name = recovery.usb_ports.get(role)
    return UsbPort(name) if name is not None else None
