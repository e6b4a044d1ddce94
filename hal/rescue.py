"""What each rung of the ladder does to one device, whether the device is plugged in at all, and how it is closed."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hal.errors import DeviceLostError, DeviceNotFoundError
from hal.protocols import Driver
from hal.recovery import Rung
from hal.usb_port import UsbPort

_log = logging.getLogger(__name__)
ABSENT = (DeviceLostError, DeviceNotFoundError)


def shut(driver: Driver) -> None:
    """Closes it. A device whose driver fails at that is gone all the same; where it failed is logged."""
    try:
        driver.close()
    except Exception:  # noqa: BLE001  see above
        _log.exception("%s: cannot be closed", driver.info.name)


class Rescue:
    """A device's own means, `reset()` and `present`, before those of the USB port that it is plugged into."""

    def __init__(self, driver: Driver, port: UsbPort | None) -> None:
        """port: where power may be switched, if anywhere."""
        self._driver, self._port = driver, port

    @property
    def able(self) -> tuple[Rung, ...]:
        """The rungs of this device: without a port and without a reset of its own it can only be opened."""
        if self._port is not None:
            return "reopen", "reset", "power"
        return ("reopen", "reset") if hasattr(self._driver, "reset") else ("reopen",)

    @property
    def present(self) -> bool:
        """Whether it is plugged in; True where that cannot be told."""
        present: bool = getattr(self._driver, "present", self._port.occupied if self._port is not None else True)
        return present

    def prepare(self, rung: Rung) -> bool:
        """What goes before opening; says whether to open now. What cannot be reset or switched is only opened."""
        try:
            if rung == "reset":
                own: Callable[[], None] | None = getattr(self._driver, "reset", None)
                if own is not None:
                    own()
                elif self._port is not None:
                    self._port.reset()
            elif rung == "power" and self._port is not None:
                self._port.power_cycle()
                return False  # it starts up now; opening it meanwhile may hang it again
        except ABSENT as error:
            _log.warning("%s", error)
        return True
