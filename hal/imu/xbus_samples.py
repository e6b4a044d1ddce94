"""From MTData2 messages to one sensor's numbers: a quick reader of the usual layout, and the sensor's clock. No I/O."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from hal.errors import DeviceDataError
from hal.imu import xbus_data
from hal.imu.xbus_data import ACCELERATION, PACKET_COUNTER, QUATERNION, RATE_OF_TURN, SAMPLE_TIME_FINE

NS_PER_TICK = 100_000
"""One step of SampleTimeFine: 10 kHz."""

Quaternion = tuple[float, float, float, float]


class Reading(NamedTuple):
    """What one message says, numbers as the device counts them.

    acceleration in m/s^2 and angular_velocity in rad/s, sensor axes; orientation w, x, y, z from sensor to a world with
    x east, y north, z up, or None.
    """

    counter: int
    ticks: int
    acceleration: tuple[float, ...]
    angular_velocity: tuple[float, ...]
    orientation: tuple[float, ...] | None


def read(data: bytes) -> Reading | None:
    """The reading of an MTData2 message; None where it has no counter, time, acceleration or rate of turn.

    Raises `DeviceDataError` where the message contradicts the protocol.
    """
    items = {item.identifier & 0xFFF0: item for item in xbus_data.decode(data)}
    try:
        counter, ticks, acceleration, rate = (
            items[kind].values for kind in (PACKET_COUNTER, SAMPLE_TIME_FINE, ACCELERATION, RATE_OF_TURN)
        )
    except KeyError:
        return None
    quaternion = items.get(QUATERNION)
    orientation = None
    if quaternion is not None:
        assert quaternion.coordinates is not None
        orientation = _to_enu(tuple(quaternion.values), quaternion.coordinates)
    return Reading(int(counter[0]), int(ticks[0]), tuple(acceleration), tuple(rate), orientation)


class Reader:
    """`read`, but a layout seen before is read at once: a device repeats one layout thousands of times a second."""

    _MOST_LAYOUTS = 16

    def __init__(self) -> None:
        self._layouts: dict[int, tuple[struct.Struct, tuple[bytes, ...], Callable[[bytes], Reading]]] = {}

    def read(self, data: bytes) -> Reading | None:
        """Like `read`, above."""
        known = self._layouts.get(len(data))
        if known is not None and known[0].unpack(data) == known[1]:
            return known[2](data)
        reading = read(data)
        if reading is not None:
            self._learn(data)
        return reading

    def _learn(self, data: bytes) -> None:
        """Keeps how to read messages with these very item headers, if they hold plain 32-bit values in ENU."""
        items = xbus_data.walk(data)
        places = {identifier: begin for identifier, begin, _ in items}
        if not {PACKET_COUNTER, SAMPLE_TIME_FINE, ACCELERATION, RATE_OF_TURN} <= places.keys():
            return
        if QUATERNION not in places and any(identifier & 0xFFF0 == QUATERNION for identifier in places):
            return
        if len(self._layouts) >= self._MOST_LAYOUTS:
            self._layouts.clear()
        headers = struct.Struct(">" + "".join(f"3s{end - begin}x" for _, begin, end in items))
        self._layouts[len(data)] = headers, headers.unpack(data), _plain_reader(places)


def _plain_reader(places: dict[int, int]) -> Callable[[bytes], Reading]:
    counter, ticks = places[PACKET_COUNTER], places[SAMPLE_TIME_FINE]
    acceleration, rate, quaternion = places[ACCELERATION], places[RATE_OF_TURN], places.get(QUATERNION)
    u16, u32 = struct.Struct(">H").unpack_from, struct.Struct(">I").unpack_from
    three, four = struct.Struct(">3f").unpack_from, struct.Struct(">4f").unpack_from

    def plain(data: bytes) -> Reading:
        return Reading(
            u16(data, counter)[0],
            u32(data, ticks)[0],
            three(data, acceleration),
            three(data, rate),
            None if quaternion is None else four(data, quaternion),
        )

    return plain


_HALF = sqrt(0.5)
_INTO_ENU: dict[xbus_data.Coordinates, Quaternion] = {
    "ENU": (1.0, 0.0, 0.0, 0.0),
    "NED": (0.0, _HALF, _HALF, 0.0),
    "NWU": (_HALF, 0.0, 0.0, _HALF),
}
"""The rotation that turns a vector of that world into east, north, up."""


def _to_enu(q: tuple[float, ...], world: xbus_data.Coordinates) -> tuple[float, ...]:
    if world == "ENU":
        return q
    aw, ax, ay, az = _INTO_ENU[world]
    bw, bx, by, bz = q
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a message lies in its sensor's time.

    counter: samples since the first one, without wrap. stamp_ns: device time, strictly increasing.
    lost: messages missing in front of this one. jumped: the device's clock did not run as its counter did.
    """

    counter: int
    stamp_ns: int
    lost: int
    jumped: bool


class SensorClock:
    """Unwraps one sensor's 16-bit packet counter and 32-bit sample time (10 kHz ticks).

    Both step together, so each checks the other: where the time step differs from counter step x period by more than
    `TOLERANCE_S`, the clock was set or the device started anew; then the counter carries the time on, so that the
    stamps stay monotonic (ours).
    """

    TOLERANCE_S = 0.25
    """Far above jitter, far below a jump that anyone would make on purpose (ours)."""

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = 1e9 / rate_hz
        self._last: Moment | None = None
        self._counter = 0
        self._ticks = 0

    def place(self, counter: int, ticks: int) -> Moment | None:
        """The moment of a message, or None for one that was already seen (a repeated counter)."""
        last = self._last
        if last is None:
            moment = Moment(0, ticks * NS_PER_TICK, 0, False)
        else:
            steps = (counter - self._counter) & 0xFFFF
            passed_ns = ((ticks - self._ticks) & 0xFFFFFFFF) * NS_PER_TICK
            if steps == 0:
                return None
            restarted = steps >= 0x8000
            if restarted:
                steps = 1
            jumped = restarted or abs(passed_ns - steps * self._period_ns) > self.TOLERANCE_S * 1e9 or passed_ns == 0
            if jumped:
                passed_ns = round(steps * self._period_ns)
            moment = Moment(last.counter + steps, last.stamp_ns + passed_ns, steps - 1, jumped)
        self._last, self._counter, self._ticks = moment, counter, ticks
        return moment


def check_layout(configuration: bytes) -> float:
    """The rate (Hz) that a device's answer to SetOutputConfiguration promises: pairs of identifier and frequency.

    Raises `DeviceDataError` where it left out what we need, or is not made of such pairs.
    """
    if len(configuration) % 4:
        raise DeviceDataError(f"SetOutputConfiguration: an answer of {len(configuration)} bytes is not made of pairs")
    rates = {identifier & 0xFFF0: rate for identifier, rate in struct.iter_unpack(">HH", configuration)}
    for kind, name in ((PACKET_COUNTER, "packet counter"), (SAMPLE_TIME_FINE, "sample time"),
                       (ACCELERATION, "acceleration"), (RATE_OF_TURN, "rate of turn")):  # fmt: skip
        if kind not in rates:
            raise DeviceDataError(f"SetOutputConfiguration: the sensor cannot send its {name}")
    if rates[ACCELERATION] != rates[RATE_OF_TURN] or not 0 < rates[ACCELERATION] < 0xFFFF:
        raise DeviceDataError("SetOutputConfiguration: acceleration and rate of turn do not come at one rate")
    return float(rates[ACCELERATION])
