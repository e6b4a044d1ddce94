"""How a device is and what happened to it since the box started: one `Condition`, carried on over its openings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hal.protocols import Camera, ImuSet
from hal.recovery import Condition, State

_log = logging.getLogger(__name__)


class Logbook:
    """Of one device. `opened`, `shut` and `change` follow what the device does."""

    def __init__(self, driver: Camera | ImuSet, clock: Callable[[], float]) -> None:
        """clock: monotonic seconds."""
        self._driver, self._clock = driver, clock
        self._written = Condition("idle")
        self._opened_s = self._lost_s = 0.0
        self.is_open = False

    @property
    def condition(self) -> Condition:
        """As of now."""
        if not self.is_open:
            return self._written
        open_s = self._written.open_s + self._clock() - self._opened_s
        return replace(self._written, open_s=open_s, counters=self._counted())

    @property
    def error(self) -> str | None:
        """Why it is away; None while it is not."""
        return self._written.error

    def opened(self) -> None:
        self.is_open, self._opened_s = True, self._clock()
        if self.error is None:
            self.change("ok", None)

    def shut(self) -> None:
        """It is closed, for whatever reason."""
        self._written, self.is_open = self.condition, False

    def rest(self) -> None:
        """Nobody reads it any more."""
        if self.error is None:
            self.change("idle", None)

    def lost(self, state: State, reason: str) -> None:
        """An interruption begins."""
        self._lost_s = self._clock()
        self.change(state, reason, interruptions=self._written.interruptions + 1)

    def attempted(self) -> None:
        self._written = replace(self._written, attempts=self._written.attempts + 1)

    def delivers_again(self) -> None:
        """The interruption is over."""
        away_s = self._clock() - self._lost_s
        _log.info("%s: is back after %.1f s", self._driver.info.name, away_s)
        self.change("ok", None, away_s=self._written.away_s + away_s)

    def received(self, count: int, lost: int) -> None:
        """count: frames or samples, more. lost: those missing so far, all together."""
        self._written = replace(self._written, received=self._written.received + count, lost=lost)

    def change(self, state: State, error: str | None, **changes: Any) -> None:
        self._written = replace(self._written, state=state, error=error, **changes)

    def _counted(self) -> tuple[tuple[str, int], ...]:
        """The driver's counters, which begin anew at each opening, and those of its openings before."""
        own, before = getattr(self._driver, "counters", None), dict(self._written.counters)
        names: list[str] = [part.name for part in fields(own)] if is_dataclass(own) else []
        return tuple((name, before.get(name, 0) + getattr(own, name)) for name in names)
