"""A pseudo-terminal that stands for a serial port, under a name that stays the same when it is plugged in again."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import time
import tty
from pathlib import Path

_MOST_WAITING = 1 << 16
_EMPTY_S = 0.1


class Terminal:
    """The device's end of the line."""

    def __init__(self, link: Path | None) -> None:
        self._link = link
        self._waiting = b""
        self.plug_in()

    def plug_in(self) -> None:
        self._device, self._host = pty.openpty()
        # Raw from the start: otherwise the kernel echoes what we send before anybody has opened the port.
        tty.setraw(self._host)
        os.set_blocking(self._device, False)
        self._waiting = b""
        self.path = os.ttyname(self._host)
        if self._link:
            fresh = self._link.with_name(self._link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(self.path)
            fresh.replace(self._link)

    def unplug(self) -> None:
        if self._link:
            self._link.unlink(missing_ok=True)
        os.close(self._device)
        os.close(self._host)

    def fileno(self) -> int:
        return self._device

    def read(self) -> bytes:
        try:
            return os.read(self._device, 4096)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> bool:
        """False where the host does not read and there is no room left: a real port would lose it as well."""
        self.push()
        if len(self._waiting) + len(data) > _MOST_WAITING:
            return False
        self._waiting += data
        self.push()
        return True

    def push(self) -> None:
        """Hands on what the kernel had no room for."""
        while self._waiting:
            try:
                self._waiting = self._waiting[os.write(self._device, self._waiting) :]
            except BlockingIOError:
                return

    def drain(self, most_s: float) -> None:
        """Waits until the host has read everything, and the kernel of a busy machine has nothing more to hand it."""
        deadline, empty_since = time.monotonic() + most_s, None
        while (now := time.monotonic()) < deadline:
            self.push()
            unread = struct.unpack("i", fcntl.ioctl(self._host, termios.FIONREAD, bytes(4)))[0]
            empty_since = None if self._waiting or unread else empty_since or now
            if empty_since is not None and now - empty_since >= _EMPTY_S:
                return
            time.sleep(0.01)
