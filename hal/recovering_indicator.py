"""An indicator that comes back, or does without: a session never ends for want of light or sound."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from hal.errors import DeviceLostError, HalError, in_one_line
from hal.protocols import Indicator
from hal.recovery import Condition, Ladder, RecoverySettings
from hal.rescue import ABSENT, shut
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
            with self._faults_told():
                self._driver.open()
            self.condition = replace(self.condition, state="ok")
        except ABSENT as error:
            self._lose(str(error))

    def close(self) -> None:
        shut(self._driver)

    def show(self, cue: Cue) -> None:
        try:
            with self._faults_told():
                self._driver.show(cue)
        except ABSENT as error:
            self._show_anew(cue, str(error))
        else:
            self._shown()

    def _show_anew(self, cue: Cue, reason: str) -> None:
        if not self._ladder.spent:
            self._ladder.climb()
            self.condition = replace(self.condition, attempts=self.condition.attempts + 1)
            try:
                with self._faults_told():
                    self._anew(cue)
            except ABSENT as error:
                reason = str(error)
            else:
                self._shown()
                return
        self._lose(reason)

    def _anew(self, cue: Cue) -> None:
        """One of several parts knows best which of them to open."""
        if hasattr(self._driver, "show_anew"):
            self._driver.show_anew(cue)
            return
        self.close()
        self._driver.open()
        self._driver.show(cue)

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        """A fault of the driver itself is a loss too: `DeviceLostError`. Where it lies is logged once a loss."""
        try:
            yield
        except HalError:
            raise
        except Exception as error:
            if self.condition.error is None:
                _log.error("%s: the driver failed", self.info.name, exc_info=error)
            raise DeviceLostError(f"{self.info.name}: the driver failed: {in_one_line(error)}") from error

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
