"""Xsens sensors on an Xbus: one MTi on its own line, or up to 17 (and more) behind an Xbus Master.

The protocol is that of `xbus_frames` and `xbus_data`; the vendor's own decoded messages are the tests' truth. Which
sensor sits where is a setting: by default FineRehab's seventeen segments on bus identifiers 1 to 17. A sensor whose
own number is known keeps its segment when the master numbers them otherwise (`xbus_identity`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from threading import Event, Thread
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from hal.errors import DeviceDataError, DeviceLostError, HalError
from hal.imu.mounting import Mounting
from hal.imu.sample_queue import SampleQueue
from hal.imu.serial_line import SerialLine
from hal.imu.xbus_frames import MASTER, FrameParser, Message, Mid, encode
from hal.imu.xbus_identity import Identities
from hal.imu.xbus_options import XbusOptions
from hal.imu.xbus_samples import Moment, Reader, Reading, SensorClock
from hal.imu.xbus_session import Setup, XbusSession
from hal.types import DeviceInfo, ImuSample

SILENCE_S = 1.0
"""A receiver that sends nothing for so long is lost (ours: 96 samples of each sensor)."""
_STALLED_S = 0.2
"""The beginning of a message whose end has not come by now was noise (ours)."""
_BATCH_S = 0.005
"""Bytes are gathered for half a sample period, so that one wake-up serves all sensors (ours)."""
_STOP_S = 0.1
_Y_UP_FROM_ENU = np.array([[1, 1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, 1], [0, 0, -1, 1]]).T * 0.5**0.5
"""A quaternion's row times this turns its world from east, north, up to ours: east, up, south, so that y is up."""
_UNKNOWN = (np.nan,) * 4


@dataclass(frozen=True, slots=True)
class XbusCounters:
    """What the line and the sensors did since `open`."""

    messages: int = 0
    samples: int = 0
    lost: int = 0
    """Samples that a gap in their sensor's counter proves missing."""
    repeated: int = 0
    dropped: int = 0
    """Samples that nobody read in time."""
    discarded_bytes: int = 0
    """Bytes that belong to no good message: noise, damaged and cut messages."""
    bad_checksums: int = 0
    malformed: int = 0
    unknown_sensors: int = 0
    clock_jumps: int = 0
    device_errors: int = 0


class XbusImuSet:
    """All sensors behind one serial port. One thread reads the port into a bounded queue."""

    Options: ClassVar[type[BaseModel]] = XbusOptions
    capabilities: ClassVar[tuple[str, ...]] = ("acceleration", "rotation", "orientation", "battery", "1 to 400 Hz")

    def __init__(self, options: XbusOptions) -> None:
        self._options = options
        self._mounting = Mounting(options.mounting)
        self._identities = Identities(options.port, options.sensors, options.device_ids)
        self._setup: Setup | None = None
        self._line: SerialLine | None = None
        self._thread: Thread | None = None
        self._reset(options.rate_hz, {})

    def _reset(self, rate_hz: float, places: Mapping[int, int]) -> None:
        capacity = round(self._options.queue_s * rate_hz * len(self._options.sensors)) + 1
        self._stop = Event()
        self._queue = SampleQueue(capacity)
        self._parser = FrameParser()
        self._reader = Reader()
        self._segments = {bus_id: self._options.sensors[place] for bus_id, place in places.items()}
        self._clocks = {bus_id: SensorClock(rate_hz) for bus_id in places}
        self._heard = dict.fromkeys(self._segments.values(), time.monotonic())
        self._samples = self._lost = self._repeated = self._malformed = 0
        self._unknown = self._jumps = self._errors = 0

    @property
    def info(self) -> DeviceInfo:
        setup = self._setup
        return DeviceInfo(
            driver="xbus",
            name=f"Xsens {setup.device_id} at {self._options.port}" if setup else self._options.port,
            rate_hz=setup.rate_hz if setup else self._options.rate_hz,
            firmware=setup.firmware if setup else "",
        )

    @property
    def counters(self) -> XbusCounters:
        """Since the last `open`; still readable after `close`."""
        return XbusCounters(
            messages=self._parser.messages,
            samples=self._samples,
            lost=self._lost,
            repeated=self._repeated,
            dropped=self._queue.dropped,
            discarded_bytes=self._parser.discarded_bytes,
            bad_checksums=self._parser.bad_checksums,
            malformed=self._malformed,
            unknown_sensors=self._unknown,
            clock_jumps=self._jumps,
            device_errors=self._errors,
        )

    @property
    def battery_percent(self) -> int | None:
        """Of the Xbus Master when it was opened, the one battery on the bus; None where it reports none."""
        return self._setup.battery_percent if self._setup else None

    @property
    def silent(self) -> tuple[str, ...]:
        """Segments whose sensors were not found, or sent nothing for a second while others did."""
        since = max(self._heard.values(), default=0.0) - SILENCE_S
        return tuple(name for name in self._options.sensors.values() if self._heard.get(name, -inf) < since)

    def open(self) -> None:
        """Configures the sensors and starts them; takes about a second.

        Raises `DeviceNotFoundError` (no port, no answer, none of our sensors there, a stranger in one's place, a
        setting refused) and `DeviceLostError` (hung up meanwhile). Sensors that are missing beside others are named by
        `silent`.
        """
        self.close()
        line = SerialLine(self._options.port, self._options.baudrate)
        try:
            setup = XbusSession(line, self._identities).start(
                self._options.sensors, self._options.rate_hz, orientation=self._options.orientation
            )
        except HalError:
            line.close()
            raise
        self._reset(setup.rate_hz, setup.sensors)
        self._setup, self._line = setup, line
        self._thread = Thread(
            target=self._run, args=(line, setup.early), name=f"xbus {self._options.port}", daemon=True
        )
        self._thread.start()

    @property
    def present(self) -> bool:
        """Whether the port is there; the line may still be dead."""
        return Path(self._options.port).exists()

    def reset(self) -> None:
        """Makes the receiver start anew; takes up to three seconds. Raises like `open`."""
        self.close()
        line = SerialLine(self._options.port, self._options.baudrate)
        try:
            XbusSession(line, self._identities).restart()
        finally:
            line.close()

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """What arrived, in order; empty if nothing came in time. `DeviceLostError`: hung up, silent, or restarted."""
        if self._thread is None:
            raise DeviceLostError(f"{self._options.port}: the driver is not open")
        return self._queue.get(timeout_s)

    def close(self) -> None:
        """Stops the measurement and releases the port."""
        if self._thread is None or self._line is None:
            return
        self._stop.set()
        self._thread.join()
        self._line.close()
        self._thread = self._line = None

    def _run(self, line: SerialLine, early: bytes) -> None:
        """Reader thread: bytes to samples until told to stop or the device is lost."""
        heard = stalled_since = time.monotonic()
        try:
            while not self._stop.is_set():
                data, early = early or line.read(_STOP_S), b""
                now = time.monotonic_ns()
                seconds = now / 1e9
                if data:
                    stalled_since = seconds
                    messages = self._parser.feed(data)
                elif self._parser.pending and seconds - stalled_since > _STALLED_S:
                    messages = self._parser.flush()
                else:
                    messages = []
                if messages:
                    heard = seconds
                    self._queue.put(self._samples_of(messages, now))
                elif seconds - heard > SILENCE_S:
                    raise DeviceLostError(f"{line.port}: the sensors sent nothing for {SILENCE_S:g} s")
                if data:
                    time.sleep(_BATCH_S)
            line.write(encode(MASTER, Mid.GO_TO_CONFIG))
        except DeviceLostError as error:
            self._queue.fail(error)

    def _samples_of(self, messages: list[Message], arrival_ns: int) -> list[ImuSample]:
        placed: list[tuple[str, Moment, Reading]] = []
        for message in messages:
            if message.mid == Mid.MT_DATA2:
                self._place(message, placed, arrival_ns)
            elif message.mid == Mid.WAKE_UP:
                raise DeviceLostError(f"{self._options.port}: the receiver restarted and forgot its configuration")
            elif message.mid == Mid.ERROR:
                self._errors += 1
        if not placed:
            return []
        segments = [segment for segment, _, _ in placed]
        acceleration = self._mounting.vectors(segments, np.array([reading.acceleration for _, _, reading in placed]))
        rate = self._mounting.vectors(segments, np.array([reading.angular_velocity for _, _, reading in placed]))
        enu = np.array([reading.orientation or _UNKNOWN for _, _, reading in placed])
        orientation = self._mounting.orientations(segments, enu @ _Y_UP_FROM_ENU)
        self._samples += len(placed)
        return [
            ImuSample(
                segment=segment,
                counter=moment.counter,
                stamp_ns=moment.stamp_ns,
                arrival_ns=arrival_ns,
                acceleration=acceleration[row],
                angular_velocity=rate[row],
                orientation=None if reading.orientation is None else orientation[row],
            )
            for row, (segment, moment, reading) in enumerate(placed)
        ]

    def _place(self, message: Message, placed: list[tuple[str, Moment, Reading]], arrival_ns: int) -> None:
        segment = self._segments.get(message.bus_id)
        if segment is None:
            self._unknown += 1
            return
        try:
            reading = self._reader.read(message.data)
        except DeviceDataError:
            reading = None
        if reading is None or not isfinite(sum(reading.acceleration) + sum(reading.angular_velocity)):
            self._malformed += 1
            return
        moment = self._clocks[message.bus_id].place(reading.counter, reading.ticks)
        if moment is None:
            self._repeated += 1
            return
        self._heard[segment] = arrival_ns / 1e9
        self._lost += moment.lost
        self._jumps += moment.jumped
        placed.append((segment, moment, reading))
