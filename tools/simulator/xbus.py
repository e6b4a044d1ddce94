"""An Xbus Master with N sensors, or one MTi, on a pseudo-terminal.

Written from the vendor's "MT Low Level Communication Protocol Documentation" alone and sharing nothing with the
driver, so that a mistake in one is not hidden by the same mistake in the other.
"""

from __future__ import annotations

import math
import random
import select
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from simulator.faults import Schedule
from simulator.terminal import Terminal

_MASTER = 0xFF
_GRAVITY = 9.81
_WAKE_UP_S = 0.5
_FIRST_COUNTER = 65_400
_FIRST_TICKS = 2**32 - 20_000
"""Near their ends, so that every run of a few seconds makes both wrap."""


def message(bus_id: int, message_id: int, data: bytes = b"") -> bytes:
    size = len(data)
    head = struct.pack(">BBB", bus_id, message_id, size) if size < 255 else struct.pack(
        ">BBBH", bus_id, message_id, 255, size)  # fmt: skip
    return b"\xfa" + head + data + struct.pack("B", (256 - sum(head + data) % 256) % 256)


@dataclass(frozen=True)
class Motion:
    """A sensor that swings by half a radian about its x axis every two seconds, each sensor a little later."""

    sensor: int

    def at(self, time_s: float) -> dict[int, bytes]:
        phase = math.pi * time_s - 0.3 * self.sensor
        angle = 0.5 * math.sin(phase)
        rate = 0.5 * math.pi * math.cos(phase)
        return {
            0x4020: struct.pack(">3f", 0.0, _GRAVITY * math.sin(angle), _GRAVITY * math.cos(angle)),
            0x8020: struct.pack(">3f", rate, 0.0, 0.0),
            0x2010: struct.pack(">4f", math.cos(angle / 2), math.sin(angle / 2), 0.0, 0.0),
            0xE020: struct.pack(">I", 3),
        }


class XbusDevice:
    """Answers requests, measures, and misbehaves by schedule. `injected` counts what it did."""

    def __init__(self, terminal: Terminal, sensors: int, rate_hz: int, schedule: Schedule, seed: int) -> None:
        self.injected: Counter[str] = Counter()
        self._line = terminal
        self._bus_ids = [_MASTER] if sensors == 0 else list(range(1, sensors + 1))
        self._rate_hz = rate_hz
        self._schedule = schedule
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        self._outputs: dict[int, list[int]] = {bus_id: [] for bus_id in self._bus_ids}
        self._motion = {
            bus_id: [Motion(bus_id).at(step / rate_hz) for step in range(2 * rate_hz)] for bus_id in self._bus_ids
        }
        self._jump_ticks = 0
        self._unheard = self._half = b""
        self._half_of = 0
        self._measuring = False
        self._unplugged_until: float | None = None
        self._first_data: float | None = None
        self._wake_up()

    @property
    def age_s(self) -> float:
        """Seconds since the first data: the time of the schedule."""
        return 0.0 if self._first_data is None else time.monotonic() - self._first_data

    def _wake_up(self) -> None:
        """Power has come: says so, and measures as before unless the host wants to configure it."""
        self._line.write(message(_MASTER, 0x3E))
        self._measure_from: float | None = time.monotonic() + _WAKE_UP_S
        self._measuring = False
        self._powered = time.monotonic()

    def run(self, duration_s: float, stopped: Callable[[], bool]) -> None:
        """Until told to stop, or for so many seconds."""
        begin = time.monotonic()
        tick = 0
        while not stopped() and time.monotonic() - begin < duration_s:
            tick += 1
            self._until(begin + tick / self._rate_hz)
            self._step()
        if self._unplugged_until is None:
            self._line.drain(10.0)

    def _until(self, moment: float) -> None:
        """Listens to the host until the next sample is due."""
        while (left := moment - time.monotonic()) > 0:
            if self._unplugged_until is not None:
                time.sleep(left)
            elif select.select([self._line], [], [], left)[0]:
                self._hear(self._line.read())

    def _step(self) -> None:
        now = time.monotonic()
        if self._unplugged_until is not None:
            if now >= self._unplugged_until:
                self._unplugged_until = None
                self._line.plug_in()
                self._wake_up()
            return
        self._line.push()
        if self._measure_from is not None and now >= self._measure_from:
            self._begin()
        if self._first_data is not None:
            for fault in self._schedule.due(self.age_s):
                if fault.kind == "clock-jump":
                    self._jump_ticks += round(fault.span_s * 10_000)
                    self.injected["clock_jumps"] += len(self._bus_ids)
                else:
                    self.injected["hang_ups"] += 1
                    self._line.unplug()
                    self._unplugged_until = now + fault.span_s
                    return
        if self._measuring:
            self._measure(self._schedule.active(self.age_s))

    def _begin(self) -> None:
        self._measuring, self._measure_from = True, None
        self._samples = 0
        self._begin_ticks = _FIRST_TICKS + round((time.monotonic() - self._powered) * 10_000)

    def _measure(self, faults: set[str]) -> None:
        victim = self._random.choice(self._bus_ids)
        ticks = self._begin_ticks + self._jump_ticks + round(self._samples * 10_000 / self._rate_hz)
        for bus_id in self._bus_ids:
            if not self._outputs[bus_id]:
                continue
            if self._first_data is None:
                self._first_data = time.monotonic()
            values = self._motion[bus_id][self._samples % len(self._motion[bus_id])]
            counter = struct.pack(">H", (_FIRST_COUNTER + self._samples) & 0xFFFF)
            stamp = struct.pack(">I", ticks & 0xFFFFFFFF)
            items = (
                (kind, counter if kind == 0x1020 else stamp if kind == 0x1060 else values[kind])
                for kind in self._outputs[bus_id]
            )
            data = b"".join(struct.pack(">HB", kind, len(value)) + value for kind, value in items)
            if "dropout" in faults and bus_id == self._bus_ids[0]:
                self.injected["withheld"] += 1
            else:
                self._send(message(bus_id, 0x36, data), faults, hit=bus_id == victim)
        self._samples += 1

    def _send(self, whole: bytes, faults: set[str], *, hit: bool) -> None:
        if "silence" in faults:
            self.injected["withheld"] += 1
        elif hit and "half-packets" in faults and not self._half:
            self._half = whole[: self._random.randrange(1, len(whole))]
            self._half_of = len(whole)
        elif hit and "bad-checksum" in faults:
            self._spoil("bad_checksums", whole[:-1] + bytes([whole[-1] ^ self._random.randrange(1, 256)]))
        else:
            self._send_half(whole)
            self.injected["sent" if self._line.write(whole) else "overflowed"] += 1
        if "noise" in faults and self._random.random() < 0.2:
            self._spoil("bursts_of_noise", self._random.randbytes(self._random.randrange(1, 40)))

    def _send_half(self, following: bytes) -> None:
        """Sends a half message that waits. One in 256 would make a right checksum with what follows, and nobody could
        tell it from a whole one: such a half is cut shorter, so that what we count is what a right driver counts."""
        while len(self._half) > 1 and sum((self._half + following)[1 : self._half_of]) % 256 == 0:
            self._half = self._half[:-1]
        if self._half:
            self._spoil("half_packets", self._half)
        self._half = b""

    def _spoil(self, kind: str, data: bytes) -> None:
        if self._line.write(data):
            self.injected[kind] += 1
            self.injected["junk_bytes"] += len(data)

    def _hear(self, data: bytes) -> None:
        self._unheard += data
        if b"\xfa" not in self._unheard:
            self._unheard = b""
        while (at := self._unheard.find(b"\xfa")) >= 0 and len(self._unheard) >= at + 5:
            end = at + 5 + self._unheard[at + 3]
            if len(self._unheard) < end:
                return
            request = self._unheard[at:end]
            if sum(request[1:]) % 256:
                self._unheard = self._unheard[at + 1 :]
                continue
            self._unheard = self._unheard[end:]
            if "silence" not in self._schedule.active(self.age_s):
                self._answer(request[1], request[2], request[4:-1])

    def _answer(self, bus_id: int, request: int, data: bytes) -> None:
        answers = {
            0x00: b"\x00\x10\x00\x07",
            0x02: b"".join(struct.pack(">I", 0x00300000 + sensor) for sensor in self._bus_ids),
            0x04: data,
            0x10: b"",
            0x12: bytes([2, 5, 1]),
            0x30: b"",
            0x88: bytes([87]),
        }
        if request == 0x3F:
            self._measure_from = None
        elif request == 0x30:
            self._measuring, self._measure_from = False, None
            self._line.write(message(bus_id, 0x31))
        elif request == 0x40:
            self._line.write(message(bus_id, 0x41))
            self._wake_up()
        elif self._measuring or (request != 0xC0 and request not in answers):
            self._line.write(message(_MASTER, 0x42, b"\x04"))
        elif request == 0xC0:
            self._configure(bus_id, data)
        else:
            self._line.write(message(bus_id, request + 1, answers[request]))
            if request == 0x10:
                self._begin()

    def _configure(self, bus_id: int, data: bytes) -> None:
        wanted = [kind for kind, _ in struct.iter_unpack(">HH", data)] if len(data) % 4 == 0 else []
        known = {0x1020, 0x1060, *self._motion[self._bus_ids[0]][0]}
        if bus_id not in self._outputs or not wanted or not known.issuperset(wanted):
            self._line.write(message(_MASTER, 0x42, b"\x21"))
            return
        self._outputs[bus_id] = wanted
        rates = ((kind, 0xFFFF if kind in (0x1020, 0x1060, 0xE020) else self._rate_hz) for kind in wanted)
        self._line.write(message(bus_id, 0xC1, b"".join(struct.pack(">HH", *pair) for pair in rates)))
