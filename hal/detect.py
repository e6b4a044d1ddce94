"""What is plugged in, by what the kernel says of it: nothing is opened. Each find is a table of settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINECT_DEPTH, FEMTO_BOLT = ("045e", "097c"), ("2bc5", "066b")
"""Vendor and product of an Azure Kinect's depth camera (a Kinect is four devices) and of a Femto Bolt."""
XSENS, FTDI = "2639", "0403"
ORBBEC_LIBRARY = Path("/opt/orbbec/libk4a.so")


@dataclass(frozen=True, slots=True)
class Found:
    """kind: a table of the settings. where: for people."""

    kind: str
    table: dict[str, Any]
    where: str


def find_devices(sysfs: Path = Path("/sys"), dev: Path = Path("/dev")) -> list[Found]:
    """At most one of a kind; a second camera is placed by people, and named by them."""
    usb = list(_usb(sysfs / "bus/usb/devices"))
    found = [*_cameras(usb), *_receivers(usb, dev)]
    found += [Found("pose", {"driver": "mediapipe"}, one.where) for one in found if one.kind == "camera"]
    found += _indicator(sysfs / "class", dev)
    return list({one.kind: one for one in reversed(found)}.values())[::-1]


@dataclass(frozen=True, slots=True)
class _Usb:
    folder: Path
    ids: tuple[str, str]
    product: str

    @property
    def where(self) -> str:
        return f"USB {self.folder.name}" + (f", {self.product}" if self.product else "")


def _usb(folder: Path) -> Iterator[_Usb]:
    for device in sorted(folder.glob("*")):
        ids = _text(device / "idVendor"), _text(device / "idProduct")
        if all(ids):
            yield _Usb(device, ids, _text(device / "product"))


def _cameras(usb: list[_Usb]) -> Iterator[Found]:
    for device in usb:
        if device.ids == KINECT_DEPTH:
            yield Found("camera", {"driver": "kinect"}, device.where)
        elif device.ids == FEMTO_BOLT:
            yield Found("camera", {"driver": "kinect", "library": str(ORBBEC_LIBRARY)}, device.where)


def _receivers(usb: list[_Usb], dev: Path) -> Iterator[Found]:
    """Xsens' own, and adapters that say so; behind any other adapter there may be anything."""
    for device in usb:
        vendor = device.ids[0]
        if vendor != XSENS and not (vendor == FTDI and "xsens" in device.product.lower()):
            continue
        for tty in sorted(device.folder.glob("*:*/ttyUSB*")) + sorted(device.folder.glob("*:*/tty/ttyACM*")):
            own = dev / "rehabbox" / tty.name
            port = own if own.exists() else dev / tty.name
            yield Found("imu", {"driver": "xbus", "port": str(port)}, device.where)


def _indicator(classes: Path, dev: Path) -> Iterator[Found]:
    parts: list[dict[str, Any]] = [
        {"driver": "led", "name": led.name} for led in sorted((classes / "leds").glob("rehabbox:*"))[:1]
    ]
    speakers = sorted((dev / "snd").glob("pcmC*D*p"))
    if speakers:
        parts.append({"driver": "speaker"})
    where = ", ".join(str(part.get("name", speakers[0].name if speakers else "")) for part in parts)
    if len(parts) > 1:
        yield Found("indicator", {"driver": "combined", "parts": parts}, where)
    elif parts:
        yield Found("indicator", parts[0], where)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        return ""
