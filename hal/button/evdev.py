"""A button of the kernel's input subsystem: a foot switch, a remote control, a key on GPIO; `/dev/input/event*`.

The kernel gives records of `struct input_event` (linux/input.h): two longs of time, type and code (16 bits each), value
(32 bits). A key goes down with type EV_KEY and value 1; 2 is its repetition while it is held, 0 its release.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.types import DeviceInfo

EVENT = struct.Struct("@llHHi")
EV_KEY, DOWN = 0x01, 1
APART_S = 0.05
"""Keys that go down within so long are one press: a contact bounces, or a switch sends several keys (ours)."""
_MOST = 64
"""Records a read; the kernel keeps no more for us."""


class EvdevButton:
    """Any key of the device counts, or those of `keys`; a key that is held counts once."""

    capabilities: ClassVar[tuple[str, ...]] = ("presses",)

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        device: Annotated[Path, Field(description="best of /dev/input/by-id, whose names stay")]
        keys: Annotated[tuple[int, ...], Field(description="codes of linux/input-event-codes.h; empty: any")] = ()

    def __init__(self, options: Options) -> None:
        self._options = options
        self._descriptor: int | None = None
        self._rest = b""
        self._down_s = 0.0

    @property
    def info(self) -> DeviceInfo:
        return DeviceInfo("evdev", str(self._options.device), 0.0)

    def open(self) -> None:
        self.close()
        try:
            self._descriptor = os.open(self._options.device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceNotFoundError(
                f"button {self._options.device}: {error.strerror}; see /dev/input/by-id, and whether the daemon's user "
                "may read it (60-rehabbox.rules gives it buttons, no keyboards)"
            ) from None
        self._rest = b""

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def presses(self) -> int:
        count = 0
        while data := self._read():
            whole = len(data) - len(data) % EVENT.size
            self._rest = data[whole:]
            for seconds, micros, kind, code, value in EVENT.iter_unpack(data[:whole]):
                if kind == EV_KEY and value == DOWN and (not self._options.keys or code in self._options.keys):
                    before_s, self._down_s = self._down_s, seconds + micros / 1e6
                    count += abs(self._down_s - before_s) > APART_S
        return count

    def _read(self) -> bytes:
        """What has come, with what was left of the read before; empty where nothing new has."""
        if self._descriptor is None:
            raise DeviceLostError(f"button {self._options.device}: not open; call open() before presses()")
        try:
            data = os.read(self._descriptor, _MOST * EVENT.size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DeviceLostError(f"button {self._options.device}: {error.strerror}") from None
        if not data:
            raise DeviceLostError(f"button {self._options.device}: it is gone")
        return self._rest + data
