"""Noitom Perception Neuron through the BVH broadcast of Axis Neuron or Axis Studio, over TCP or UDP.

Written from the vendor's documentation; not tried on a suit. The broadcast carries the orientation of each segment as
the vendor's programme estimates it and nothing that was measured: `acceleration` and `angular_velocity` are NaN.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.imu.bvh_stream import (
    JOINT_OF_SEGMENT,
    AngleOrder,
    BinaryParser,
    BvhFrame,
    BvhParser,
    Stillness,
    TextParser,
    orientations,
)
from hal.imu.sample_queue import SampleQueue
from hal.types import DeviceInfo, ImuSample

SILENCE_S = 1.0
STILL_S = 3.0
"""A joint that gives the same angles for so long has no sensor (ours: text is rounded to 0.01 degree)."""
_CONNECT_S = 3.0
_STOP_S = 0.1
_CHUNK = 65536
_NOT_MEASURED = np.full(3, np.nan)
_NOT_MEASURED.flags.writeable = False


class NoitomOptions(BaseModel):
    """Settings of the driver; they must match the programme's settings under "BVH broadcasting"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transport: Literal["tcp", "udp"] = "tcp"
    host: str = "127.0.0.1"
    """TCP: the computer with the vendor's programme. UDP: the address of ours to listen on."""
    port: int = Field(default=7001, ge=1, le=65535)
    format: Literal["binary", "text"] = "binary"
    angle_order: AngleOrder = "YXZ"
    avatar: int = Field(default=0, ge=0)
    rate_hz: float = Field(default=96.0, gt=0, le=400)
    queue_s: float = Field(default=5.0, gt=0, le=600)


@dataclass(frozen=True, slots=True)
class NoitomCounters:
    """What the connection delivered since `open`."""

    frames: int = 0
    samples: int = 0
    lost: int = 0
    """Frames missing by the sender's frame index; text has none, so nothing is noticed there."""
    dropped: int = 0
    malformed: int = 0
    discarded_bytes: int = 0
    other_avatars: int = 0


class NoitomImuSet:
    """All segments of one avatar. One thread reads the socket into a bounded queue."""

    Options: ClassVar[type[BaseModel]] = NoitomOptions
    capabilities: ClassVar[tuple[str, ...]] = ("orientation",)

    def __init__(self, options: NoitomOptions) -> None:
        self._options = options
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None
        self._reset()

    def _reset(self) -> None:
        options = self._options
        self._stop = Event()
        self._queue = SampleQueue(round(options.queue_s * options.rate_hz) * len(JOINT_OF_SEGMENT))
        self._parser: BvhParser = BinaryParser() if options.format == "binary" else TextParser()
        self._stillness = Stillness(STILL_S)
        self._first_index: int | None = None
        self._counter = -1
        self._stamp_ns = 0
        self._samples = self._lost = self._others = 0

    @property
    def _address(self) -> str:
        return f"{self._options.transport}://{self._options.host}:{self._options.port}"

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo(driver="noitom", name=f"Perception Neuron at {self._address}", rate_hz=self._options.rate_hz)

    @property
    def counters(self) -> NoitomCounters:
        """Since the last `open`; still readable after `close`."""
        return NoitomCounters(
            frames=self._parser.frames,
            samples=self._samples,
            lost=self._lost,
            dropped=self._queue.dropped,
            malformed=self._parser.malformed,
            discarded_bytes=self._parser.discarded_bytes,
            other_avatars=self._others,
        )

    @property
    def silent(self) -> tuple[str, ...]:
        """Segments whose joints stopped changing while others go on; all before the first frame."""
        return self._stillness.still if self._samples else tuple(JOINT_OF_SEGMENT)

    def open(self) -> None:
        """Connects, or listens. Raises `DeviceNotFoundError`."""
        self.close()
        try:
            if self._options.transport == "tcp":
                line = socket.create_connection((self._options.host, self._options.port), timeout=_CONNECT_S)
            else:
                line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    line.bind((self._options.host, self._options.port))
                except OSError:
                    line.close()
                    raise
        except OSError as error:
            raise DeviceNotFoundError(
                f"{self._address}: {error.strerror or error}; is the vendor's programme running and broadcasting BVH?"
            ) from None
        line.settimeout(_STOP_S)
        self._reset()
        self._socket = line
        self._thread = Thread(target=self._run, args=(line,), name=f"noitom {self._address}", daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """What arrived, in order; empty if nothing came in time. `DeviceLostError`: closed, or silent."""
        if self._thread is None:
            raise DeviceLostError(f"{self._address}: the driver is not open")
        return self._queue.get(timeout_s)

    def close(self) -> None:
        """Releases the connection."""
        if self._thread is None or self._socket is None:
            return
        self._stop.set()
        self._thread.join()
        self._socket.close()
        self._thread = self._socket = None

    def _run(self, line: socket.socket) -> None:
        """Reader thread: bytes to samples until told to stop or the connection is lost."""
        heard = time.monotonic()
        try:
            while not self._stop.is_set():
                data: bytes | None = None
                with suppress(TimeoutError):
                    data = line.recv(_CHUNK)
                now = time.monotonic_ns()
                if data == b"" and self._options.transport == "tcp":
                    raise DeviceLostError(f"{self._address}: the vendor's programme closed the connection")
                frames = self._parser.feed(data) if data else []
                if frames:
                    heard = now / 1e9
                    self._queue.put([sample for frame in frames for sample in self._samples_of(frame, now)])
                elif now / 1e9 - heard > SILENCE_S:
                    raise DeviceLostError(f"{self._address}: no frame came for {SILENCE_S:g} s")
        except DeviceLostError as error:
            self._queue.fail(error)
        except OSError as error:
            self._queue.fail(DeviceLostError(f"{self._address}: {error.strerror or error}"))

    def _samples_of(self, frame: BvhFrame, arrival_ns: int) -> list[ImuSample]:
        if frame.avatar != self._options.avatar:
            self._others += 1
            return []
        self._place(frame.frame_index, arrival_ns)
        self._stillness.see(frame.angles, arrival_ns / 1e9)
        turned = orientations(frame.angles, self._options.angle_order)
        self._samples += len(turned)
        return [
            ImuSample(segment, self._counter, self._stamp_ns, arrival_ns, _NOT_MEASURED, _NOT_MEASURED, orientation)
            for segment, orientation in turned.items()
        ]

    def _place(self, index: int | None, arrival_ns: int) -> None:
        """Counter and stamp of the next frame: from its index, or from its arrival where it has none."""
        if index is None:
            self._counter += 1
            self._stamp_ns = max(self._stamp_ns + 1, arrival_ns)
            return
        if self._first_index is None:
            self._first_index = index
        counter = (index - self._first_index) & 0xFFFFFFFF
        if not self._counter < counter < 0x80000000:
            # The programme was started anew or its take began again: count on from here.
            counter = self._counter + 1
            self._first_index = index - counter
        self._lost += counter - self._counter - 1
        self._counter = counter
        self._stamp_ns = round(counter * 1e9 / self._options.rate_hz)
