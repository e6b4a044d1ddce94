"""Brings an Xbus device from whatever it does to measuring what we want. Requests, answers, time limits.

Source: Xsens, "MT Low Level Communication Protocol Documentation" (MT0101P): a device is in the config state, where it
answers requests, or in the measurement state, where it sends data. After power-up it sends WakeUp and goes to the
config state if answered. The protocol knows one battery, that of an Xbus Master (ReqBatteryLevel; from the list of
messages only, and not tried on a device); the sensors on its cable have none.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Collection
from dataclasses import dataclass

from hal.errors import DeviceDataError, DeviceNotFoundError
from hal.imu import xbus_data
from hal.imu.serial_line import SerialLine
from hal.imu.xbus_frames import MASTER, FrameParser, Message, Mid, encode
from hal.imu.xbus_identity import Identities
from hal.imu.xbus_samples import check_layout

_ATTEMPTS = 3
_ANSWER_S = 0.5
_SLOW_ANSWER_S = 2.0
"""Looking round the bus and storing a configuration take a device up to a second."""
_RESTART_S = 3.0
"""From a reset to WakeUp, at most (ours); a device that does not say so may still answer then."""
_TICKS_PER_S = 115200
"""The unit of SetPeriod."""
_EVERY_MESSAGE = 0xFFFF

_ERRORS = {
    0x03: "period out of range",
    0x04: "unknown message",
    0x1E: "timer overflow",
    0x20: "baud rate out of range",
    0x21: "parameter out of range",
    0x28: "device error, try to update its firmware",
}


class RefusedError(DeviceNotFoundError):
    """The device is there and answered a request with an error."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What answered, and what it will send.

    sensors: which of our identifiers each sensor that will send data stands for, by the one that it answers to.
    rate_hz: the rate that they confirmed. battery_percent: None where the device reports none. early: the bytes that
    already came behind the last answer.
    """

    device_id: str
    firmware: str
    sensors: dict[int, int]
    rate_hz: float
    battery_percent: int | None
    early: bytes


class XbusSession:
    """Requests and answers over one line."""

    def __init__(self, line: SerialLine, identities: Identities) -> None:
        self._line, self._identities = line, identities
        self._parser = FrameParser()
        self._behind: list[Message] = []

    def start(self, sensors: Collection[int], rate_hz: int, *, orientation: bool) -> Setup:
        """Configures the sensors and starts the measurement.

        Raises `DeviceNotFoundError` (nobody answers, no sensor of ours, a stranger in one's place, a setting refused)
        and `DeviceLostError`.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._request(MASTER, Mid.GO_TO_CONFIG)
                break
            except RefusedError:
                raise
            except DeviceNotFoundError:
                if attempt == _ATTEMPTS - 1:
                    raise
        device_id = self._request(MASTER, Mid.REQ_DEVICE_ID).hex().upper()
        firmware = ".".join(str(part) for part in self._optional(Mid.REQ_FIRMWARE)[:3])
        battery = None
        present = {MASTER: device_id}
        if set(sensors) != {MASTER}:
            devices = self._request(MASTER, Mid.INIT_BUS, wait_s=_SLOW_ANSWER_S).hex().upper()
            present = {1 + at // 8: devices[at : at + 8] for at in range(0, len(devices) - 7, 8)}
            level = self._optional(Mid.REQ_BATTERY_LEVEL)
            battery = level[0] if level and level[0] <= 100 else None
            self._optional(Mid.SET_PERIOD, round(_TICKS_PER_S / rate_hz).to_bytes(2, "big"))
        ours = self._identities.places(present)
        if not ours:
            raise DeviceNotFoundError(
                f"{self._line.port}: the receiver answers, but none of the sensors {sorted(sensors)} is on its bus; "
                "switch the sensors on, or correct the bus identifiers in the settings"
            )
        rates = {self._configure(sensor, rate_hz, orientation=orientation) for sensor in ours}
        if len(rates) != 1:
            raise DeviceNotFoundError(f"{self._line.port}: the sensors took different rates: {sorted(rates)} Hz")
        self._request(MASTER, Mid.GO_TO_MEASUREMENT)
        early = b"".join(encode(*message) for message in self._behind) + self._parser.pending
        return Setup(device_id, firmware, ours, rates.pop(), battery, early)

    def restart(self) -> None:
        """Resets the device, with all that hangs on its bus, and waits for it to wake up. Raises `DeviceLostError`."""
        self._line.write(encode(MASTER, Mid.RESET))
        deadline = time.monotonic() + _RESTART_S
        while (left := deadline - time.monotonic()) > 0:
            if any(message.mid == Mid.WAKE_UP for message in self._parser.feed(self._line.read(left))):
                self._line.write(encode(MASTER, Mid.WAKE_UP_ACK))
                return

    def _configure(self, sensor: int, rate_hz: int, *, orientation: bool) -> float:
        wanted = [
            (xbus_data.PACKET_COUNTER, _EVERY_MESSAGE),
            (xbus_data.SAMPLE_TIME_FINE, _EVERY_MESSAGE),
            (xbus_data.ACCELERATION, rate_hz),
            (xbus_data.RATE_OF_TURN, rate_hz),
        ]
        if orientation:
            wanted.append((xbus_data.QUATERNION, rate_hz))
        data = b"".join(struct.pack(">HH", *pair) for pair in wanted)
        answer = self._request(sensor, Mid.SET_OUTPUT_CONFIGURATION, data, wait_s=_SLOW_ANSWER_S)
        try:
            return check_layout(answer)
        except DeviceDataError as error:
            raise DeviceNotFoundError(f"{self._line.port}: sensor {sensor}: {error}") from None

    def _optional(self, mid: Mid, data: bytes = b"") -> bytes:
        """The answer to what not every device knows; empty where it does not."""
        try:
            return self._request(MASTER, mid, data)
        except DeviceNotFoundError:
            return b""

    def _request(self, bus_id: int, mid: Mid, data: bytes = b"", wait_s: float = _ANSWER_S) -> bytes:
        """Sends and waits for the answer of the same unit; what else arrives meanwhile is measurement data."""
        self._line.write(encode(bus_id, mid, data))
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            messages = self._parser.feed(self._line.read(left))
            for place, message in enumerate(messages):
                if message.mid == Mid.WAKE_UP:
                    self._line.write(encode(MASTER, Mid.WAKE_UP_ACK))
                    self._line.write(encode(bus_id, mid, data))
                elif message.bus_id == bus_id and message.mid == mid + 1:
                    self._behind = messages[place + 1 :]
                    return message.data
                elif message.mid == Mid.ERROR:
                    code = message.data[0] if message.data else 0
                    raise RefusedError(
                        f"{self._line.port}: the device refused {mid.name} with error 0x{code:02X} "
                        f"({_ERRORS.get(code, 'unknown')})"
                    )
        raise DeviceNotFoundError(
            f"{self._line.port}: no answer to {mid.name} within {wait_s:g} s; check power, cable and baud rate"
        )
