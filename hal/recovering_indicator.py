"""An indicator that comes back, or does without: a session never ends for want of light or sound."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from hal.errors import HalError
from hal.protocols import Indicator
from hal.recovery import Condition, Ladder, RecoverySettings
from hal.rescue import ABSENT
from hal.types import Cue, DeviceInfo

_log = logging.getLogger(__name__)


class RecoveringIndicator:
    """A cue that cannot be shown is tried once more on a device opened anew.

    Within the ladder's cap, without its pauses: the patient waits for the cue, and the next one is the next attempt.
    """

    Options: ClassVar[type[BaseModel]] = RecoverySettings

    def __init__(self, driver: Indicator, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_change: Callable[[Condition], None] = lambda condition: None
        """Called whenever it is lost, and when it shows again."""
        self._driver = driver
        self._ladder = Ladder(clock)
        self.condition = Condition("idle")

    @property
    def info(self) -> DeviceInfo:
        return self._driver.info

    def open(self) -> None:
        """Never raises for a device that is not there; it is looked for with each cue."""
        try:
            self._driver.open()
            self.condition = replace(self.condition, state="ok")
        except ABSENT as error:
            self._lose(str(error))
        except HalError:
            raise
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._lose(self._fault(error))

    def close(self) -> None:
        self._driver.close()

    def show(self, cue: Cue) -> None:
        try:
            self._driver.show(cue)
        except ABSENT as error:
            self._show_anew(cue, str(error))
            return
        except HalError:
            raise
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._show_anew(cue, self._fault(error))
            return
        self._shown()

    def _show_anew(self, cue: Cue, reason: str) -> None:
        if not self._ladder.spent:
            self._ladder.climb()
            self.condition = replace(self.condition, attempts=self.condition.attempts + 1)
            self._driver.close()
            try:
                self._driver.open()
                self._driver.show(cue)
            except ABSENT as error:
                reason = str(error)
            except HalError:
                raise
            except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
                reason = self._fault(error)
            else:
                self._shown()
                return
        self._lose(reason)

    def _fault(self, error: Exception) -> str:
        """What a fault of the driver itself is called; where it lies is logged when the indicator is lost."""
        if self.condition.error is None:
            _log.error("%s: the driver failed", self.info.name, exc_info=error)
        return f"{self.info.name}: the driver failed: {type(error).__name__}: {' '.join(str(error).split())}"

    def _shown(self) -> None:
        if self.condition.error is not None:
            self.condition = replace(self.condition, state="ok", error=None)
            self.on_change(self.condition)

    def _lose(self, reason: str) -> None:
        if self.condition.error is None:
            _log.warning("%s", reason)
            self.condition = replace(
                self.condition, state="lost", error=reason, interruptions=self.condition.interruptions + 1
            )
            self.on_change(self.condition)
