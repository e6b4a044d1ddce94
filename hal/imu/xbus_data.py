"""The content of an MTData2 message: any number of items, each with identifier, size and value. No I/O.

Source: Xsens, "MT Low Level Communication Protocol Documentation" (MT0101P), section "MTData2". An item is a two-byte
data identifier, a one-byte size and that many bytes, big-endian. The identifier's lowest two bits give the precision
of real values, the next two the coordinate system.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hal.errors import DeviceDataError

Precision = Literal["float32", "fixed12.20", "fixed16.32", "float64"]
Coordinates = Literal["ENU", "NED", "NWU"]

PRECISIONS: tuple[Precision, ...] = ("float32", "fixed12.20", "fixed16.32", "float64")
_REAL_SIZE = (4, 4, 6, 8)
COORDINATES: tuple[Coordinates, ...] = ("ENU", "NED", "NWU")


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an MTData2 message.

    name: of the quantity, as the vendor calls it; "0x1234" where this table does not know the identifier.
    values: the numbers in the vendor's order and unit (m/s^2, rad/s, degrees, Pa, degrees Celsius, ticks); the raw
        bytes where the identifier is unknown.
    precision, coordinates: as the identifier says; None where the quantity has none.
    """

    identifier: int
    name: str
    values: tuple[float, ...] | tuple[int, ...] | bytes
    precision: Precision | None = None
    coordinates: Coordinates | None = None


class _Reals(NamedTuple):
    name: str
    number: int
    oriented: bool = False


class _Fixed(NamedTuple):
    name: str
    layout: struct.Struct


PACKET_COUNTER = 0x1020
SAMPLE_TIME_FINE = 0x1060
QUATERNION = 0x2010
ACCELERATION = 0x4020
RATE_OF_TURN = 0x8020
STATUS_WORD = 0xE020

_REALS = {
    0x0810: _Reals("Temperature", 1),
    QUATERNION: _Reals("Quaternion", 4, oriented=True),
    0x2020: _Reals("RotationMatrix", 9, oriented=True),
    0x2030: _Reals("EulerAngles", 3, oriented=True),
    0x4010: _Reals("DeltaV", 3),
    ACCELERATION: _Reals("Acceleration", 3),
    0x4030: _Reals("FreeAcceleration", 3, oriented=True),
    0x4040: _Reals("AccelerationHR", 3),
    0x5020: _Reals("AltitudeEllipsoid", 1),
    0x5030: _Reals("PositionEcef", 3),
    0x5040: _Reals("LatLon", 2),
    RATE_OF_TURN: _Reals("RateOfTurn", 3),
    0x8030: _Reals("DeltaQ", 4),
    0x8040: _Reals("RateOfTurnHR", 3),
    0xC020: _Reals("MagneticField", 3),
    0xC030: _Reals("MagneticFieldCorrected", 3),
    0xD010: _Reals("VelocityXYZ", 3, oriented=True),
}

_FIXED = {
    identifier: _Fixed(name, struct.Struct(layout))
    for identifier, name, layout in (
        (0x1010, "UtcTime", ">IH6B"),
        (PACKET_COUNTER, "PacketCounter", ">H"),
        (0x1030, "Itow", ">I"),
        (0x1040, "GnssAge", ">B"),
        (0x1050, "PressureAge", ">B"),
        (SAMPLE_TIME_FINE, "SampleTimeFine", ">I"),
        (0x1070, "SampleTimeCoarse", ">I"),
        (0x1080, "FrameRange", ">2H"),
        (0x1090, "PacketCounter8", ">B"),
        (0x10A0, "SampleTime64", ">Q"),
        (0x3010, "BaroPressure", ">I"),
        (0xA010, "RawAccGyrMagTemp", ">10H"),
        (0xA020, "RawGyroTemp", ">3H"),
        (0xB010, "AnalogIn1", ">H"),
        (0xB020, "AnalogIn2", ">H"),
        (0xE010, "StatusByte", ">B"),
        (STATUS_WORD, "StatusWord", ">I"),
        (0xE040, "Rssi", ">b"),
        (0xE090, "LocationId", ">H"),
    )
}
_DEVICE_ID = 0xE080


def walk(data: bytes) -> list[tuple[int, int, int]]:
    """Where each item's value lies: (identifier, begin, end). Raises `DeviceDataError` where sizes do not add up."""
    items: list[tuple[int, int, int]] = []
    at = 0
    while at < len(data):
        begin = at + 3
        end = begin + data[at + 2] if begin <= len(data) else begin
        if end > len(data):
            raise DeviceDataError(f"MTData2: the item at byte {at} runs past the end of its {len(data)} bytes of data")
        items.append((data[at] << 8 | data[at + 1], begin, end))
        at = end
    return items


def decode(data: bytes) -> list[Item]:
    """Every item of an MTData2 message, in its order.

    Raises `DeviceDataError` where sizes do not add up or an item's size contradicts its identifier.
    """
    return [_item(identifier, data[begin:end]) for identifier, begin, end in walk(data)]


def _item(identifier: int, value: bytes) -> Item:
    kind = identifier & 0xFFF0
    if (real := _REALS.get(kind)) is not None:
        precision = identifier & 0x3
        frame = identifier >> 2 & 0x3
        if len(value) != real.number * _REAL_SIZE[precision] or frame == 3:
            raise _contradiction(identifier, real.name, value)
        return Item(
            identifier,
            real.name,
            _reals(value, precision),
            PRECISIONS[precision],
            COORDINATES[frame] if real.oriented else None,
        )
    if (fixed := _FIXED.get(kind)) is not None:
        if len(value) != fixed.layout.size:
            raise _contradiction(identifier, fixed.name, value)
        return Item(identifier, fixed.name, fixed.layout.unpack(value))
    if kind == _DEVICE_ID:
        if len(value) not in (4, 8):
            raise _contradiction(identifier, "DeviceId", value)
        return Item(identifier, "DeviceId", (int.from_bytes(value, "big"),))
    return Item(identifier, f"0x{identifier:04X}", value)


def _reals(value: bytes, precision: int) -> tuple[float, ...]:
    count = len(value) // _REAL_SIZE[precision]
    if precision == 0:
        return struct.unpack(f">{count}f", value)
    if precision == 1:
        return tuple(number / 2**20 for number in struct.unpack(f">{count}i", value))
    if precision == 3:
        return struct.unpack(f">{count}d", value)
    # The 32 bits behind the point are sent before the signed 16 in front of it.
    parts = struct.unpack(">" + "Ih" * count, value)
    return tuple(whole + fraction / 2**32 for fraction, whole in zip(parts[::2], parts[1::2], strict=True))


def _contradiction(identifier: int, name: str, value: bytes) -> DeviceDataError:
    return DeviceDataError(f"MTData2: {name} (0x{identifier:04X}) cannot have {len(value)} bytes")
