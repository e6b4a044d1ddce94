"""What is done about a device that fails, in which order and how often.

From the mildest to the strongest: open it again, reset it, power off and on at its USB port; people are called when it
has been away for `give_up_s`, and the attempts go on. Five within a minute are the most, with growing pauses, so that a
broken device does not keep the box busy. A device seen to be unplugged costs no attempts, and is opened as soon as it
is plugged in again. The figures are ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hal.usb_port import PORT_PATTERN

Rung = Literal["reopen", "reset", "power"]
State = Literal["idle", "ok", "recovering", "lost"]

RUNGS: tuple[Rung, ...] = ("reopen", "reset", "power", "reopen", "reopen")
"""By the number of steps since the loss, and round again; a rung that the device does not have is a `reopen`."""
PAUSES_S = (25.0, 0.5, 6.0, 12.0, 16.0)
"""Before each rung, from the end of the one before. The very first comes at once; its pause is that between rounds.

The one after power lets a camera with a computer inside start up.
"""
SETTLE_S = 1.0
"""From the return of a device to the bus until it is opened: udev sets its permissions meanwhile."""
WINDOW_S = 60.0


class RecoverySettings(BaseModel):
    """When a device counts as lost, and which USB port it is plugged into."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    silence_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    """An open device that gives nothing for so long is lost, whatever it says."""
    give_up_s: Annotated[float, Field(gt=0, le=3600)] = 45.0
    """A device that is away for so long is told as lost; looking for it goes on."""
    usb_ports: dict[Literal["camera", "second_camera", "imu"], Annotated[str, Field(pattern=PORT_PATTERN)]] = {}
    """By device, as the kernel names the port (`2-1.4`): power may be switched off and on there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a device is, and what happened since the box started.

    state: `idle` while nobody reads it; `recovering` until it delivers again; `lost` when it was away too long.
    error: why it is `recovering` or `lost`.
    """

    state: State
    error: str | None = None
    interruptions: int = 0
    """Times it was lost."""
    attempts: int = 0
    """To bring it back."""
    away_s: float = 0.0
    """From each loss to the return; the present one not counted yet."""
    open_s: float = 0.0
    received: int = 0
    """Frames, or samples of all sensors."""
    lost: int = 0
    """Frames or samples that gaps in the counters prove missing."""
    sources: int = 0
    """How many sensors should be heard: those that were since it was opened, and the silent; 1 for a camera."""
    silent: tuple[str, ...] = ()
    """Segments whose sensors were missing when the set was last heard."""
    fell_silent: tuple[str, ...] = ()
    """Segments whose sensors were missing at any time since it was opened."""
    battery_percent: int | None = None
    """Of a set's receiver, where it tells."""
    counters: tuple[tuple[str, int], ...] = ()
    """The driver's own, all its openings together."""


class Ladder:
    """Says which attempt is next and when; knows no device."""

    def __init__(self, clock: Callable[[], float], able: Collection[Rung] = ()) -> None:
        """clock: monotonic seconds. able: the rungs that the device has beside `reopen`."""
        self._clock, self._able = clock, able
        self._began: deque[float] = deque(maxlen=len(RUNGS))
        self._step = 0
        self._due_s = clock()
        self._returned = False

    @property
    def spent(self) -> bool:
        """Whether another attempt now would be one too many within the window."""
        return self._recent() == len(RUNGS)

    @property
    def due_s(self) -> float:
        """When the next attempt may begin, on the clock."""
        return max(self._due_s, self._began[0] + WINDOW_S) if self.spent else self._due_s

    @property
    def rung(self) -> Rung:
        """What the next attempt is to do."""
        rung = RUNGS[self._step % len(RUNGS)]
        return rung if rung in self._able and not self._returned else "reopen"

    def lost(self) -> None:
        """The device failed. A return that did not last a minute is part of the same loss: it climbs on."""
        if not self._recent():
            self._step = 0
        self._due_s, self._returned = self._clock(), False

    def returned(self) -> None:
        """The device is on its bus again: it is opened before the ladder goes on."""
        self._due_s, self._returned = self._clock() + SETTLE_S, True

    def climb(self) -> Rung:
        """An attempt begins: what it is to do."""
        rung = self.rung
        self._began.append(self._clock())
        if not self._returned:
            self._step += 1
        self._returned = False
        self.rest()
        return rung

    def skip(self) -> None:
        """An attempt that could do nothing is not made, and not counted."""
        self._step += 1
        self.rest()

    def rest(self) -> None:
        """The attempt is over; the pause begins."""
        self._due_s = self._clock() + PAUSES_S[self._step % len(RUNGS)]

    def _recent(self) -> int:
        now = self._clock()
        while self._began and now - self._began[0] >= WINDOW_S:
            self._began.popleft()
        return len(self._began)
