"""Broadcasts BVH frames as Axis Neuron and Axis Studio do: 59 joints, the arms swinging, over TCP or UDP.

Written from the vendor's "Neuron Data Reader Runtime API Documentation" alone, sharing nothing with the driver.
"""

from __future__ import annotations

import math
import random
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable

from simulator.faults import Schedule

_JOINTS = 59
_RIGHT_ARM, _LEFT_ARM = 14, 37
_NAME = "Patient"


def angles(time_s: float) -> list[tuple[float, float, float]]:
    """Degrees about y, x, z of every joint: both upper arms swing by 60 degrees about z every two seconds; all else
    sways a little, as nobody is ever quite still."""
    swing = 60.0 * math.sin(math.pi * time_s)
    frame = [(0.0, 0.1 * math.sin(time_s + joint), 0.0) for joint in range(_JOINTS)]
    frame[_RIGHT_ARM] = (0.0, 0.0, -swing)
    frame[_LEFT_ARM] = (0.0, 0.0, swing)
    return frame


def values(time_s: float, *, displacement: bool, reference: bool, frozen: bool = False) -> list[float]:
    """frozen: the left arm is where it was at the beginning."""
    frame = [0.0] * 6 if reference else []
    turns = angles(time_s)
    if frozen:
        turns[_LEFT_ARM] = (0.0, 0.0, 0.0)
    for joint, turn in enumerate(turns):
        if joint == 0:
            frame += [0.0, 97.0, 0.0]
        elif displacement:
            frame += [0.0, 10.0, 0.0]
        frame += turn
    return frame


def binary(index: int, numbers: list[float], *, displacement: bool, reference: bool) -> bytes:
    header = struct.pack("<H4BHBBI32sI3IH", 0xDDFF, 0, 0, 1, 1, len(numbers), displacement, reference, 0,
                         _NAME.encode(), index, 0, 0, 0, 0xEEFF)  # fmt: skip
    return header + struct.pack(f"<{len(numbers)}f", *numbers)


def text(numbers: list[float]) -> bytes:
    return f"0 {_NAME} {' '.join(f'{number:.4f}' for number in numbers)} ||\r\n".encode()


class Outlet:
    """Where frames go: to every TCP client, or to one UDP address."""

    def __init__(self, port: int, udp_to: tuple[str, int] | None) -> None:
        self._udp_to = udp_to
        self._clients: list[socket.socket] = []
        if udp_to:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.address = f"udp://{udp_to[0]}:{udp_to[1]}"
        else:
            self._socket = socket.create_server(("127.0.0.1", port))
            self.address = "tcp://{}:{}".format(*self._socket.getsockname())

    def send(self, data: bytes) -> bool:
        """Whether anybody was there to send it to."""
        if self._udp_to:
            self._socket.sendto(data, self._udp_to)
            return True
        while select.select([self._socket], [], [], 0)[0]:
            self._clients.append(self._socket.accept()[0])
        for client in list(self._clients):
            try:
                client.sendall(data)
            except OSError:
                self._clients.remove(client)
                client.close()
        return bool(self._clients)

    def hang_up(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()

    def close(self) -> None:
        self.hang_up()
        self._socket.close()


class BvhSource:
    """One frame a period, misbehaving by schedule. `injected` counts what it did."""

    def __init__(self, outlet: Outlet, rate_hz: int, schedule: Schedule, seed: int, *, as_text: bool,
                 displacement: bool, reference: bool) -> None:  # fmt: skip
        self.injected: Counter[str] = Counter()
        self._outlet = outlet
        self._rate_hz = rate_hz
        self._schedule = schedule
        self._random = random.Random(seed)  # noqa: S311 (not for secrets)
        self._as_text = as_text
        self._layout = {"displacement": displacement, "reference": reference}
        self._first_data: float | None = None
        self._absent_until = 0.0

    def run(self, duration_s: float, stopped: Callable[[], bool]) -> None:
        """Until told to stop, or for so many seconds."""
        begin = time.monotonic()
        index = 0
        while not stopped() and (now := time.monotonic()) - begin < duration_s:
            index += 1
            time.sleep(max(0.0, begin + index / self._rate_hz - now))
            self._step(index)

    @property
    def age_s(self) -> float:
        """Seconds since somebody heard a frame: the time of the schedule."""
        return 0.0 if self._first_data is None else time.monotonic() - self._first_data

    def _step(self, index: int) -> None:
        now = time.monotonic()
        for fault in self._schedule.due(self.age_s) if self._first_data is not None else ():
            if fault.kind == "hang-up":
                self.injected["hang_ups"] += 1
                self._outlet.hang_up()
                self._absent_until = now + fault.span_s
        if now < self._absent_until:
            return
        active = self._schedule.active(self.age_s)
        if "silence" in active:
            self.injected["withheld"] += 1
            return
        numbers = values(index / self._rate_hz, **self._layout, frozen="dropout" in active)
        frame = text(numbers) if self._as_text else binary(index, numbers, **self._layout)
        if "half-packets" in active and index % 3 == 0:
            self._spoil("half_packets", frame[: self._random.randrange(1, len(frame))])
        elif self._outlet.send(frame):
            self.injected["sent"] += 1
            self._first_data = self._first_data or now
        if "noise" in active and self._random.random() < 0.2:
            self._spoil("bursts_of_noise", self._random.randbytes(self._random.randrange(1, 40)))

    def _spoil(self, kind: str, data: bytes) -> None:
        if self._outlet.send(data):
            self.injected[kind] += 1
            self.injected["junk_bytes"] += len(data)
