"""One table of drivers: a name in the settings is a name here; its module is imported only when it is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from hal.errors import DriverOptionError, UnknownDriverError
from hal.protocols import Camera, Driver, ImuSet, Indicator, PoseEstimator

Kind = Literal["camera", "pose", "imu", "indicator"]

DRIVERS: dict[Kind, dict[str, str]] = {
    "camera": {
        "image": "hal.camera.image:ImageCamera",
        "kinect": "hal.camera.kinect:KinectCamera",
        "kinect_mkv": "hal.camera.kinect_mkv:KinectMkvCamera",
        "synthetic": "hal.camera.synthetic:SyntheticCamera",
        "video": "hal.camera.video:VideoCamera",
    },
    "pose": {
        "device": "hal.pose.device:DevicePose",
        "mediapipe": "hal.pose.mediapipe:MediaPipePose",
    },
    "imu": {
        "noitom": "hal.imu.noitom:NoitomImuSet",
        "synthetic": "hal.imu.synthetic:SyntheticImuSet",
        "xbus": "hal.imu.xbus:XbusImuSet",
    },
    "indicator": {
        "silent": "hal.indicator.silent:SilentIndicator",
        "synthetic": "hal.indicator.synthetic:SyntheticIndicator",
    },
}


def driver_class(kind: Kind, name: str) -> type[Driver]:
    """The driver of that name. Raises `UnknownDriverError` with the names there are."""
    table = DRIVERS[kind]
    if name not in table:
        raise UnknownDriverError(
            f"{kind}.driver: there is no driver {name!r}; choose one of {', '.join(sorted(table))}"
        )
    module, attribute = table[name].split(":")
    return cast(type[Driver], getattr(import_module(module), attribute))


def driver_options(kind: Kind, settings: Mapping[str, Any]) -> BaseModel:
    """The validated options of `{"driver": name, **options}`. Raises `DriverOptionError` naming the key."""
    name = str(settings.get("driver", ""))
    options = {key: value for key, value in settings.items() if key != "driver"}
    try:
        return driver_class(kind, name).Options.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join([kind, *map(str, first["loc"])])
        raise DriverOptionError(f"{key}: {first['msg']} (driver {name!r})") from None


def _build(kind: Kind, settings: Mapping[str, Any]) -> Driver:
    options = driver_options(kind, settings)
    factory = cast(Any, driver_class(kind, str(settings["driver"])))
    return cast(Driver, factory(options))


def build_camera(settings: Mapping[str, Any]) -> Camera:
    return cast(Camera, _build("camera", settings))


def build_pose(settings: Mapping[str, Any]) -> PoseEstimator:
    return cast(PoseEstimator, _build("pose", settings))


def build_imu(settings: Mapping[str, Any]) -> ImuSet:
    return cast(ImuSet, _build("imu", settings))


def build_indicator(settings: Mapping[str, Any]) -> Indicator:
    return cast(Indicator, _build("indicator", settings))
