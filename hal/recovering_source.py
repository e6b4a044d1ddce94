"""Any source of frames or samples behind the ladder of `hal.recovery`: what cameras and IMUs have in common.

A driver that fails otherwise than `hal.errors` knows is a device that is lost. A replay is not waited for: its missing
file, or what its driver cannot do with it, is the same at the next opening.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from hal.errors import DeviceLostError, HalError, in_one_line
from hal.logbook import Logbook
from hal.protocols import Camera, ImuSet, Losses
from hal.recovery import Condition, Ladder, RecoverySettings, State
from hal.rescue import ABSENT, Rescue, shut
from hal.timeline import Timelines
from hal.types import Counters, DeviceInfo
from hal.usb_port import UsbPort

Source = TypeVar("Source", bound=Camera | ImuSet)
Changed = Callable[[Condition], None]

_log = logging.getLogger(__name__)


class RecoveringSource(Generic[Source]):
    """What opens, reads, loses and brings back. One thread reads; `condition` may be asked for by any."""

    Options: ClassVar[type[BaseModel]] = RecoverySettings

    def __init__(
        self,
        driver: Source,
        settings: RecoverySettings,
        port: UsbPort | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """port: where power may be switched, if anywhere. clock, sleep: for tests that make their own time."""
        self.on_change: Changed = lambda condition: None
        """Called in the reader's thread whenever the state changes to or from `recovering` and `lost`."""
        self._driver: Source = driver
        self._book = Logbook(driver, clock)
        self._timelines = Timelines()
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self._rescue = Rescue(driver, port)
        self._ladder = Ladder(clock, self._rescue.able)
        self._unplugged = self._wanted = self._given_up = False
        self._waiting_since_s = 0.0
        self._quiet_since_s: float | None = None

    @property
    def info(self) -> DeviceInfo:
        return self._driver.info

    @property
    def counters(self) -> Losses:
        """The driver's own."""
        return getattr(self._driver, "counters", Counters())

    @property
    def condition(self) -> Condition:
        """As of now."""
        return replace(self._book.condition, sources=len(self._timelines.sources))

    def open(self) -> None:
        """A device that is not there is looked for while it is read.

        Raises what the driver does for anything but absence, and `DeviceLostError` where it was given up before.
        """
        self.close()
        self._timelines.begin()
        self._given_up = False
        self._waiting_since_s = self._clock()
        try:
            self._driver.open()
        except ABSENT as error:
            if self._driver.info.synthetic:
                raise
            self._wanted = True
            self._lose(str(error))
            return
        except HalError:
            raise
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._wanted = True
            self._lose_by_fault(error)
            return
        self._wanted = True
        self._opened()

    def close(self) -> None:
        self._shut()
        self._wanted = False
        self._book.rest()

    def _read(self, timeout_s: float) -> Any:
        """What the driver gives, or None; see the module for the rest."""
        if self._wanted and not self._book.is_open:
            self._wait_and_attempt(timeout_s)
            return None
        began_s = self._clock()
        try:
            got = self._driver.read(timeout_s)
        except DeviceLostError as error:
            if not self._wanted:
                raise
            self._lose(str(error))
            return None
        except HalError:
            raise
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._lose_by_fault(error)
            return None
        if got:
            self._quiet_since_s = None
            if self._book.error is not None:
                self._given_up = False
                self._book.delivers_again()
                self.on_change(self.condition)
            return got
        self._quiet_since_s = began_s if self._quiet_since_s is None else self._quiet_since_s
        if self._clock() - self._quiet_since_s >= self._settings.silence_s:
            self._lose(f"{self.info.name}: gave nothing for {self._settings.silence_s:g} s")
        return None

    def _place(self, source: str, counter: int, stamp_ns: int, arrival_ns: int) -> tuple[int, int]:
        return self._timelines.place(source, self.info.rate_hz, counter, stamp_ns, arrival_ns)

    def _opened(self) -> None:
        self._quiet_since_s = None
        self._book.opened()

    def _shut(self) -> None:
        shut(self._driver)
        self._book.shut()

    def _lose(self, reason: str) -> None:
        self._shut()
        self._timelines.restart()
        if self._book.error is None:
            _log.warning("%s", reason)
            self._waiting_since_s = self._clock()
            self._ladder.lost()
            self._unplugged = False
            self._book.lost("recovering", reason)
            self.on_change(self.condition)
        self._give_up_in_time(reason)

    def _lose_by_fault(self, error: Exception) -> None:
        reason = self._fault(error)
        if not self.info.synthetic:
            self._lose(reason)
            return
        self._shut()
        self._wanted = False
        self._book.lost("lost", reason)
        self.on_change(self.condition)
        raise DeviceLostError(reason)

    def _wait_and_attempt(self, timeout_s: float) -> None:
        self._give_up_in_time(self._book.error or "")
        present = self._rescue.present
        if self._unplugged and present:
            self._ladder.returned()  # opened soon
        self._unplugged = not present
        wait_s = max(0.0, self._ladder.due_s - self._clock())
        self._sleep(min(wait_s, timeout_s))
        if wait_s > timeout_s:
            return
        if self._unplugged and self._ladder.rung != "power":
            self._ladder.skip()
            return
        rung = self._ladder.climb()
        self._book.attempted()
        _log.info("%s: %s", self.info.name, rung)
        try:
            if self._rescue.prepare(rung):
                self._driver.open()
                self._opened()
        except HalError as error:
            self._failed_again(str(error))
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._failed_again(self._fault(error))
        self._ladder.rest()

    def _fault(self, error: Exception) -> str:
        """What a fault of the driver itself is called; where it lies is logged once, not with each attempt."""
        reason = f"{self.info.name}: the driver failed: {in_one_line(error)}"
        if reason != self._book.error:
            _log.error("%s", reason, exc_info=error)
        return reason

    def _failed_again(self, reason: str) -> None:
        """An attempt did not help; a new reason is told."""
        self._shut()  # a driver may have come half-way
        if reason != self._book.error:
            _log.warning("%s", reason)
            self._book.change(self._state, reason)

    @property
    def _state(self) -> State:
        return self._book.condition.state

    def _give_up_in_time(self, reason: str) -> None:
        away_s = self._clock() - self._waiting_since_s
        if self._given_up or (self._state != "lost" and away_s < self._settings.give_up_s):
            return
        self._given_up = True
        self._book.change("lost", reason)
        self.on_change(self.condition)
        _log.error("given up: %s", reason)
        raise DeviceLostError(reason)
