"""Power of one USB port, by the kernel's own switch (6.0 and later; kernel.org, Documentation/ABI, sysfs-bus-usb).

Some devices leave USB until their power is cut; opening them again does not bring them back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from hal.errors import DeviceNotFoundError

SYSFS = Path("/sys/bus/usb/devices")
OFF_S = 1.0
"""Long enough for a camera's capacitors to run empty (ours)."""
PORT_PATTERN = r"^\d+-\d+(\.\d+)*$"
"""As the kernel names what is plugged in: bus, root port, then each hub's port, `2-1.4`."""


class UsbPort:
    """A port that can be switched: the hub must be able to, and the daemon's user may write its `disable` file."""

    def __init__(self, name: str, root: Path = SYSFS, sleep: Callable[[float], None] = time.sleep) -> None:
        """name: see `PORT_PATTERN`. Raises `ValueError` for another form."""
        if not re.match(PORT_PATTERN, name):
            raise ValueError(f"{name!r} is no USB port such as 2-1.4; see `ls {root}`")
        self.name = name
        self._root, self._sleep = root, sleep

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
