"""One table of drivers: a name in the settings is a name here; its module is imported only when it is used.

Other distributions add rows by the entry-point group `rehabbox.drivers`: `"camera.acme" = "acme.camera:AcmeCamera"`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from inspect import getdoc
from typing import Any, Literal, cast

from pydantic import BaseModel, ValidationError

from hal.errors import BrokenDriverError, DriverOptionError, HalError, UnknownDriverError, in_one_line
from hal.protocols import Button, Camera, Driver, ImuSet, Indicator, PoseEstimator

Kind = Literal["camera", "pose", "imu", "indicator", "button"]

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
        "combined": "hal.indicator.combined:CombinedIndicator",
        "led": "hal.indicator.led:LedIndicator",
        "mock": "hal.indicator.mock:MockIndicator",
        "silent": "hal.indicator.silent:SilentIndicator",
        "speaker": "hal.indicator.speaker:SpeakerIndicator",
        "synthetic": "hal.indicator.synthetic:SyntheticIndicator",
    },
    "button": {
        "evdev": "hal.button.evdev:EvdevButton",
        "none": "hal.button.none:NoButton",
        "synthetic": "hal.button.synthetic:SyntheticButton",
    },
}

PLUG_INS = "rehabbox.drivers"
"""The entry-point group. A plug-in cannot take the name of a driver of our own."""

_NEEDED: dict[Kind, tuple[str, ...]] = {
    "camera": ("open", "close", "info", "read"),
    "pose": ("open", "close", "info", "estimate"),
    "imu": ("open", "close", "info", "read"),
    "indicator": ("open", "close", "info", "show"),
    "button": ("open", "close", "info", "presses"),
}


@dataclass(frozen=True, slots=True)
class DriverSummary:
    """A driver that settings may name. fault: why it cannot be used; empty where it can."""

    kind: Kind
    name: str
    what: str
    capabilities: tuple[str, ...]
    plug_in: str
    """The distribution it comes from; empty for our own."""
    fault: str = ""


def driver_class(kind: Kind, name: str) -> type[Driver]:
    """The driver of that name. Raises `UnknownDriverError` with the names there are, `BrokenDriverError`."""
    table = _table(kind)
    if name not in table:
        raise UnknownDriverError(
            f"{kind}.driver: there is no driver {name!r}; choose one of {', '.join(sorted(table))}"
        )
    row = table[name]
    if not row.plug_in:
        module, attribute = row.target.split(":")
        return cast(type[Driver], getattr(import_module(module), attribute))
    return _plug_in_class(kind, name, row)


def summaries() -> Iterator[DriverSummary]:
    """All drivers there are, with what each can do; a broken plug-in is among them and says why it is."""
    for kind in DRIVERS:
        for name, row in sorted(_table(kind).items()):
            try:
                driver = driver_class(kind, name)
            except HalError as error:
                yield DriverSummary(kind, name, "", (), row.plug_in, str(error))
                continue
            what = (getdoc(driver) or "").split("\n\n")[0].replace("\n", " ")
            yield DriverSummary(kind, name, what, tuple(getattr(driver, "capabilities", ())), row.plug_in)


@dataclass(frozen=True, slots=True)
class _Row:
    target: str
    plug_in: str = ""


def _table(kind: Kind) -> dict[str, _Row]:
    """Our own drivers of that kind, and the plug-ins'."""
    plug_ins = {
        entry.name.removeprefix(f"{kind}."): _Row(entry.value, entry.dist.name if entry.dist else "a plug-in")
        for entry in entry_points(group=PLUG_INS)
        if entry.name.startswith(f"{kind}.")
    }
    return plug_ins | {name: _Row(target) for name, target in DRIVERS[kind].items()}


def _plug_in_class(kind: Kind, name: str, row: _Row) -> type[Driver]:
    """Somebody else's code: whatever it raises becomes one line that names it."""
    where = f"plug-in {kind}.{name} ({row.target}, from {row.plug_in})"
    module, _, attribute = row.target.partition(":")
    try:
        driver = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:  # noqa: BLE001  what a stranger's module raises is not known
        raise BrokenDriverError(f"{where} cannot be imported: {in_one_line(error)}") from None
    lacking = [part for part in _NEEDED[kind] if not hasattr(driver, part)]
    options = getattr(driver, "Options", None)
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        lacking.insert(0, "Options (a pydantic model)")
    words = getattr(driver, "capabilities", ())
    if isinstance(words, str) or not (isinstance(words, Collection) and all(isinstance(word, str) for word in words)):
        lacking.append("capabilities as a tuple of words")
    if lacking:
        raise BrokenDriverError(f"{where} is no driver of kind {kind}: it lacks {', '.join(lacking)}")
    return cast(type[Driver], driver)


def gives_depth(camera: Mapping[str, Any]) -> bool:
    """Whether the driver of `{"driver": name, **options}` says so of itself. Raises as `driver_class`."""
    return "depth" in getattr(driver_class("camera", str(camera.get("driver", ""))), "capabilities", ())


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
    try:
        return cast(Driver, factory(options))
    except HalError:
        raise
    except Exception as error:
        name = settings["driver"]
        raise BrokenDriverError(f"{kind}.driver: {name!r} cannot be made: {in_one_line(error)}") from error


def build_camera(settings: Mapping[str, Any]) -> Camera:
    return cast(Camera, _build("camera", settings))


def build_pose(settings: Mapping[str, Any]) -> PoseEstimator:
    return cast(PoseEstimator, _build("pose", settings))


def build_imu(settings: Mapping[str, Any]) -> ImuSet:
    return cast(ImuSet, _build("imu", settings))


def build_indicator(settings: Mapping[str, Any]) -> Indicator:
    return cast(Indicator, _build("indicator", settings))


def build_button(settings: Mapping[str, Any]) -> Button:
    return cast(Button, _build("button", settings))
