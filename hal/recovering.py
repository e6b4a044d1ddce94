"""Cameras and IMUs that come back: any driver, behind the ladder of `hal.recovery`, with the driver's own protocol.

While a device is away, reading gives nothing. When it has been away for too long it raises `DeviceLostError` once; who
goes on reading gets the device back if a later attempt succeeds. What it delivers before and after is one line of
stamps and counters (`hal.timeline`). A driver that fails otherwise than `hal.errors` knows is a device that is lost. A
replay is not waited for: its missing file, or what its driver cannot do with it, is the same at the next opening.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel

from hal.errors import DeviceLostError, DeviceNotFoundError, HalError
from hal.protocols import Camera, ImuSet, Losses
from hal.recovery import Condition, Ladder, RecoverySettings, Rung, State
from hal.timeline import Timeline
from hal.types import Counters, DeviceInfo, Frame, ImuSample
from hal.usb_port import UsbPort

Source = TypeVar("Source", bound=Camera | ImuSet)
Changed = Callable[[Condition], None]

_log = logging.getLogger(__name__)
_ABSENT = (DeviceLostError, DeviceNotFoundError)


class _Recovering(Generic[Source]):
    """What camera and IMUs have in common. One thread reads; `condition` may be asked for by any."""

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
        self._settings, self._port = settings, port
        self._clock, self._sleep = clock, sleep
        self._ladder = Ladder(clock, self._able())
        self._condition = Condition("idle")
        self._unplugged = False
        self._waiting_since_s = 0.0
        self._wanted = self._is_open = self._given_up = False
        self._opened_s = self._lost_s = 0.0
        self._quiet_since_s: float | None = None
        self._timelines: dict[str, Timeline] = {}

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
        condition = self._condition
        return replace(
            condition,
            open_s=condition.open_s + (self._clock() - self._opened_s if self._is_open else 0.0),
            sources=len(self._timelines),
            counters=self._counted() if self._is_open else condition.counters,
        )

    def open(self) -> None:
        """A device that is not there is looked for while it is read.

        Raises what the driver does for anything but absence, and `DeviceLostError` where it was given up before.
        """
        self.close()
        self._timelines = {}
        self._given_up = False
        self._waiting_since_s = self._clock()
        try:
            self._driver.open()
        except _ABSENT as error:
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
        if self._condition.error is None:
            self._condition = replace(self._condition, state="idle")

    def _read(self, timeout_s: float) -> Any:
        """What the driver gives, or None; see the module for the rest."""
        if self._wanted and not self._is_open:
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
            if self._condition.error is not None:
                self._came_back()
            return got
        self._quiet_since_s = began_s if self._quiet_since_s is None else self._quiet_since_s
        if self._clock() - self._quiet_since_s >= self._settings.silence_s:
            self._lose(f"{self.info.name}: gave nothing for {self._settings.silence_s:g} s")
        return None

    def _placed(self, source: str, counter: int, stamp_ns: int, arrival_ns: int) -> tuple[int, int]:
        timeline = self._timelines.get(source)
        if timeline is None:
            timeline = self._timelines[source] = Timeline(self.info.rate_hz)
        lost = timeline.lost
        placed = timeline.place(counter, stamp_ns, arrival_ns)
        if timeline.lost > lost:
            self._condition = replace(self._condition, lost=self._condition.lost + timeline.lost - lost)
        return placed

    def _count(self, received: int) -> None:
        self._condition = replace(self._condition, received=self._condition.received + received)

    def _opened(self) -> None:
        self._is_open, self._opened_s, self._quiet_since_s = True, self._clock(), None
        if self._condition.error is None:
            self._condition = replace(self._condition, state="ok")

    def _shut(self) -> None:
        try:
            self._driver.close()
        except Exception:  # noqa: BLE001  a device that cannot be closed is gone all the same
            _log.exception("%s: cannot be closed", self.info.name)
        if self._is_open:
            open_s = self._condition.open_s + self._clock() - self._opened_s
            closed = replace(self._condition, open_s=open_s, counters=self._counted())
            self._condition, self._is_open = closed, False

    def _counted(self) -> tuple[tuple[str, int], ...]:
        """The driver's counters, which begin anew at each opening, and those of its openings before."""
        own, before = self.counters, dict(self._condition.counters)
        names: list[str] = [part.name for part in fields(own)] if is_dataclass(own) else []
        return tuple((name, before.get(name, 0) + getattr(own, name)) for name in names)

    def _lose(self, reason: str) -> None:
        self._shut()
        for timeline in self._timelines.values():
            timeline.restart()
        if self._condition.error is None:
            _log.warning("%s", reason)
            self._lost_s = self._waiting_since_s = self._clock()
            self._ladder.lost()
            self._unplugged = False
            self._change("recovering", reason, interruptions=self._condition.interruptions + 1)
        self._give_up_in_time(reason)

    def _lose_by_fault(self, error: Exception) -> None:
        reason = self._fault(error)
        if not self.info.synthetic:
            self._lose(reason)
            return
        self._shut()
        self._wanted = False
        self._change("lost", reason, interruptions=self._condition.interruptions + 1)
        raise DeviceLostError(reason)

    def _wait_and_attempt(self, timeout_s: float) -> None:
        self._give_up_in_time(self._condition.error or "")
        self._look()
        wait_s = max(0.0, self._ladder.due_s - self._clock())
        self._sleep(min(wait_s, timeout_s))
        if wait_s > timeout_s:
            return
        if self._unplugged and self._ladder.rung != "power":
            self._ladder.skip()
            return
        rung = self._ladder.climb()
        self._condition = replace(self._condition, attempts=self._condition.attempts + 1)
        _log.info("%s: %s", self.info.name, rung)
        try:
            if self._help(rung):
                self._driver.open()
                self._opened()
        except HalError as error:
            self._failed_again(str(error))
        except Exception as error:  # noqa: BLE001  a driver's fault must not vanish, whatever it is
            self._failed_again(self._fault(error))
        self._ladder.rest()

    def _fault(self, error: Exception) -> str:
        """What a fault of the driver itself is called; where it lies is logged once, not with each attempt."""
        reason = f"{self.info.name}: the driver failed: {type(error).__name__}: {' '.join(str(error).split())}"
        if reason != self._condition.error:
            _log.error("%s", reason, exc_info=error)
        return reason

    def _failed_again(self, reason: str) -> None:
        """An attempt did not help; a new reason is told."""
        self._shut()  # a driver may have come half-way
        if reason != self._condition.error:
            _log.warning("%s", reason)
            self._condition = replace(self._condition, error=reason)

    def _able(self) -> tuple[Rung, ...]:
        """The rungs of this device: without a port and without a reset of its own it can only be opened."""
        if self._port is not None:
            return "reopen", "reset", "power"
        return ("reopen", "reset") if hasattr(self._driver, "reset") else ("reopen",)

    def _look(self) -> None:
        """Whether the device is plugged in, where that can be told; one that comes back is opened soon."""
        present = getattr(self._driver, "present", self._port.occupied if self._port is not None else True)
        if self._unplugged and present:
            self._ladder.returned()
        self._unplugged = not present

    def _help(self, rung: Rung) -> bool:
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
        except _ABSENT as error:
            _log.warning("%s", error)
        return True

    def _give_up_in_time(self, reason: str) -> None:
        away_s = self._clock() - self._waiting_since_s
        if self._given_up or (self._condition.state != "lost" and away_s < self._settings.give_up_s):
            return
        self._given_up = True
        self._change("lost", reason)
        _log.error("given up: %s", reason)
        raise DeviceLostError(reason)

    def _came_back(self) -> None:
        self._given_up = False
        away_s = self._clock() - self._lost_s
        _log.info("%s: is back after %.1f s", self.info.name, away_s)
        self._change("ok", None, away_s=self._condition.away_s + away_s)

    def _change(self, state: State, error: str | None, **changes: Any) -> None:
        self._condition = replace(self._condition, state=state, error=error, **changes)
        self.on_change(self._condition)


class RecoveringCamera(_Recovering[Camera]):
    """A camera behind the ladder."""

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None if none came in time or the camera is away. Raises as the module says."""
        frame = cast(Frame | None, self._read(timeout_s))
        if frame is None:
            return None
        own = frame.index, frame.stamp_ns
        index, stamp_ns = placed = self._placed("", *own, frame.arrival_ns)
        self._count(1)
        return frame if placed == own else replace(frame, index=index, stamp_ns=stamp_ns)


class RecoveringImuSet(_Recovering[ImuSet]):
    """A set of IMUs behind the ladder; a single sensor that is silent beside others is told, and not waited for."""

    _silent: tuple[str, ...] = ()
    _fell_silent: tuple[str, ...] = ()

    @property
    def condition(self) -> Condition:
        """As of now, with what the driver knows of its sensors."""
        return replace(
            super().condition,
            sources=len(set(self._timelines) | set(self._silent)),
            silent=self._silent,
            fell_silent=self._fell_silent,
            battery_percent=getattr(self._driver, "battery_percent", None),
        )

    def open(self) -> None:
        self._silent = self._fell_silent = ()
        super().open()

    def read(self, timeout_s: float) -> Sequence[ImuSample]:
        """What arrived; empty if nothing came in time or the receiver is away. Raises as the module says."""
        samples = cast(Sequence[ImuSample], self._read(timeout_s) or ())
        placed = [self._place(sample) for sample in samples]
        if placed:
            self._count(len(placed))
            self._silent = self._driver.silent
            self._fell_silent += tuple(name for name in self._silent if name not in self._fell_silent)
        return placed

    def _place(self, sample: ImuSample) -> ImuSample:
        own = sample.counter, sample.stamp_ns
        counter, stamp_ns = placed = self._placed(sample.segment, *own, sample.arrival_ns)
        return sample if placed == own else replace(sample, counter=counter, stamp_ns=stamp_ns)
