"""Do the settings of one or two cameras go together? Asked when they are read, before any device is touched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from appliance.track import CameraRole
from hal.errors import DriverOptionError, HalError
from hal.registry import driver_options
from hal.wired_sync import start_order


def check_cameras(tables: Mapping[CameraRole, Mapping[str, Any]], calibration: Path | None) -> None:
    """tables: of one or two cameras. calibration: the file that says how two of them stand to each other.

    Raises `HalError` that names table and key, and says what would be right.
    """
    options = {role: _options(role, table) for role, table in tables.items()}
    start_order(options)
    if calibration is None:
        return
    serials = {role: _serial(each) for role, each in options.items()}
    first, second = serials.values()
    if tables["camera"].get("driver") == tables["second_camera"].get("driver"):
        for role, serial in serials.items():
            if serial == "":
                raise DriverOptionError(f"{role}.serial: is needed to tell two cameras of one kind apart")
    if first and first == second:
        raise DriverOptionError(f"second_camera.serial: {second} is [camera] already; name the other device")
    _check_calibration(calibration, [first, second])


def _options(role: CameraRole, table: Mapping[str, Any]) -> BaseModel:
    try:
        return driver_options("camera", table)
    except HalError as error:
        raise DriverOptionError(str(error) if role == "camera" else f"[{role}]: {error}") from None


def _serial(options: BaseModel) -> str | None:
    """None for a driver that tells its devices apart otherwise."""
    return getattr(options, "serial", None)


def _check_calibration(file: Path, serials: list[str | None]) -> None:
    from hal.calibration import read_two_views  # with OpenCV in it, which one camera has no need of

    known = read_two_views(file)
    calibrated = [known.a.serial, known.b.serial]
    differ = [bool(now and then and now != then) for now, then in zip(serials, calibrated, strict=True)]
    if any(differ):
        crossed = serials == calibrated[::-1]
        remedy = "exchange [camera] and [second_camera]" if crossed else "calibrate these two"
        raise DriverOptionError(
            f"second_camera.calibration: {file} is of the cameras {' and '.join(calibrated)}, "
            f"the settings name {' and '.join(serial or '?' for serial in serials)}; {remedy}"
        )
