"""A serial port as a line of bytes: open, read what there is, write, close; every fault is one of `hal.errors`."""

from __future__ import annotations

import errno
import os
import select
import termios
from contextlib import suppress

import serial

from hal.errors import DeviceLostError, DeviceNotFoundError

_CHUNK = 65536
_WRITE_S = 1.0


class SerialLine:
    """An open port, held alone. Works on a pty as well, where modem lines and low latency do not exist."""

    def __init__(self, port: str, baudrate: int) -> None:
        """Raises `DeviceNotFoundError`: no such port, no permission, held by another, or a rate it cannot do."""
        self.port = port
        try:
            self._serial = serial.Serial(port, baudrate, timeout=0, write_timeout=_WRITE_S, exclusive=True)
        except (OSError, ValueError, termios.error) as error:
            raise DeviceNotFoundError(f"{port}: {_reason(error)}") from None
        with suppress(OSError, ValueError, NotImplementedError, termios.error):
            # USB adapters otherwise hold bytes back for 16 ms; what is no such adapter refuses.
            self._serial.set_low_latency_mode(True)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, empty if nothing did in time. Raises `DeviceLostError` at a hang-up."""
        try:
            ready, _, _ = select.select([self._serial.fileno()], [], [], timeout_s)
            if not ready:
                return b""
            data = os.read(self._serial.fileno(), _CHUNK)
        except (ValueError, TypeError):  # no descriptor any more
            raise DeviceLostError(f"{self.port}: the line is closed") from None
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return b""
            raise DeviceLostError(f"{self.port}: the line hung up ({os.strerror(error.errno or errno.EIO)})") from None
        if not data:
            raise DeviceLostError(f"{self.port}: the line hung up")
        return data

    def write(self, data: bytes) -> None:
        """Raises `DeviceLostError` where the bytes cannot leave."""
        try:
            self._serial.write(data)
        except (OSError, serial.SerialException, termios.error) as error:
            raise DeviceLostError(f"{self.port}: cannot write ({error})") from None

    def close(self) -> None:
        with suppress(OSError, termios.error):
            self._serial.close()


def _reason(error: Exception) -> str:
    code = error.args[0] if isinstance(error, termios.error) else getattr(error, "errno", None)
    if code == errno.ENOENT:
        return "there is no such port; is the receiver plugged in?"
    if code == errno.EACCES:
        return "no permission to open the port; the user must be in the group dialout"
    if code in (errno.EBUSY, errno.EAGAIN):
        return "the port is in use by another programme"
    return f"cannot open it as a serial port ({error})"
