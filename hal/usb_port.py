"""One USB port: what is plugged in, its reset (usbfs), and the port's power.

Power goes by the kernel's own switch (6.0 and later; kernel.org, Documentation/ABI, sysfs-bus-usb). Some devices leave
USB until their power is cut; opening them again does not bring them back.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from hal.errors import DeviceNotFoundError

SYSFS = Path("/sys/bus/usb/devices")
OFF_S = 1.0
"""Long enough for a camera's capacitors to run empty (ours)."""
_RESET = ord("U") << 8 | 20
"""USBDEVFS_RESET (kernel.org, linux/usbdevice_fs.h)."""
PORT_PATTERN = r"^\d+-\d+(\.\d+)*$"
"""As the kernel names what is plugged in: bus, root port, then each hub's port, `2-1.4`."""


class UsbPort:
    """A port that can be switched: the hub must be able to, and the daemon's user may write its `disable` file."""

    def __init__(
        self,
        name: str,
        root: Path = SYSFS,
        sleep: Callable[[float], None] = time.sleep,
        nodes: Path = Path("/dev/bus/usb"),
        ioctl: Callable[[int, int], object] = fcntl.ioctl,
    ) -> None:
        """name: see `PORT_PATTERN`. The others: for tests. Raises `ValueError` for another form."""
        if not re.match(PORT_PATTERN, name):
            raise ValueError(f"{name!r} is no USB port such as 2-1.4; see `ls {root}`")
        self.name = name
        self._root, self._sleep, self._nodes, self._ioctl = root, sleep, nodes, ioctl

    @property
    def occupied(self) -> bool:
        """Whether anything is plugged in that the kernel sees."""
        return (self._root / self.name).exists()

    def reset(self) -> None:
        """Resets what is plugged in, as the kernel does for a device that hangs; its power stays on.

        Raises `DeviceNotFoundError` where nothing is, or the daemon's user may not write its node.
        """
        try:
            bus, device = (int((self._root / self.name / part).read_text("ascii")) for part in ("busnum", "devnum"))
            node = os.open(self._nodes / f"{bus:03}" / f"{device:03}", os.O_WRONLY)
            try:
                self._ioctl(node, _RESET)
            finally:
                os.close(node)
        except OSError as error:
            raise DeviceNotFoundError(f"USB port {self.name}: cannot reset what is plugged in ({error})") from None

    def power_cycle(self) -> None:
        """Off, a second, on. Raises `DeviceNotFoundError` where the port has no such switch or it may not be used."""
        switches = self._switches()
        try:
            for switch in switches:
                self._write(switch, "1")
            self._sleep(OFF_S)
        finally:
            for switch in switches:
                self._write(switch, "0")

    def _switches(self) -> list[Path]:
        """The port's, and its twin's: a USB 3 socket is two ports, and power stays on until both are off."""
        port = self._folder()
        twin = port / "peer"
        return [folder / "disable" for folder in ([port, twin] if twin.exists() else [port])]

    def _folder(self) -> Path:
        bus, _, path = self.name.partition("-")
        *hubs, port = path.split(".")
        if hubs:
            hub = f"{bus}-{'.'.join(hubs)}"
            return self._root / f"{hub}:1.0" / f"{hub}-port{port}"
        return self._root / f"{bus}-0:1.0" / f"usb{bus}-port{port}"

    def _write(self, switch: Path, text: str) -> None:
        try:
            with switch.open("r+") as file:
                file.write(text)
        except OSError as error:
            raise DeviceNotFoundError(
                f"USB port {self.name}: cannot be switched ({switch}: {error.strerror}); it needs Linux 6.0, a hub "
                "that can, and a udev rule for the daemon's user"
            ) from None
