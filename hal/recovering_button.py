"""A button that may go and come back: it is looked for every few seconds, and no session ends for want of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from hal.errors import HalError
from hal.protocols import Button
from hal.recovery import Condition
from hal.rescue import shut
from hal.types import DeviceInfo

_log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""Between two attempts to open it."""


class RecoveringButton:
    """Any thread may ask; one at a time."""

    def __init__(self, driver: Button, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_change: Callable[[Condition], None] = lambda condition: None
        """Called when it is lost, and when it is back."""
        self._driver, self._clock = driver, clock
        self._open = False
        self._again_s = 0.0
        self.condition = Condition("idle")

    @property
    def info(self) -> DeviceInfo:
        return self._driver.info

    @property
    def there(self) -> bool:
        """Whether the settings name one."""
        return self.info.driver != "none"

    def close(self) -> None:
        shut(self._driver)
        self._open = False

    def presses(self) -> int:
        """Since it was asked before; 0 while it is away. Opens it where it is not open."""
        try:
            if not self._open:
                if self._clock() < self._again_s:
                    return 0
                self._driver.open()
                self._open = True
                if self.condition.error is not None or self.condition.state == "idle":
                    self.condition = replace(self.condition, state="ok", error=None)
                    self.on_change(self.condition)
            return self._driver.presses()
        except HalError as error:
            self._lose(str(error))
            return 0

    def _lose(self, reason: str) -> None:
        self.close()
        self._again_s = self._clock() + AGAIN_S
        self.condition = replace(self.condition, attempts=self.condition.attempts + 1)
        if self.condition.error is None:
            _log.warning("%s", reason)
            self.condition = replace(
                self.condition, state="lost", error=reason, interruptions=self.condition.interruptions + 1
            )
            self.on_change(self.condition)
