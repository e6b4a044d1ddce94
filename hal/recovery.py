"""What is done about a device that fails, in which order and how often.

From the mildest to the strongest: open it again, its own reset, power off and on at its USB port; then people are
called. Five attempts within a minute are the most, with growing pauses, so that a broken device does not keep the box
busy and a flapping one climbs the ladder too. The figures are ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hal.usb_port import PORT_PATTERN

Rung = Literal["reopen", "reset", "power"]
State = Literal["idle", "ok", "recovering", "lost"]

RUNGS: tuple[Rung, ...] = ("reopen", "reopen", "reset", "power", "reopen")
"""By the number of attempts before; after its power was off a device needs a while, hence the last."""
WINDOW_S = 60.0
FIRST_PAUSE_S = 0.5
"""Before the second attempt; then doubling. The first comes at once."""


class RecoverySettings(BaseModel):
    """When a device counts as lost, and which USB port it is plugged into."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    silence_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    """An open device that gives nothing for so long is lost, whatever it says."""
    usb_ports: dict[Literal["camera", "imu"], Annotated[str, Field(pattern=PORT_PATTERN)]] = {}
    """By device, as the kernel names the port (`2-1.4`): power may be switched off and on there."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a device is, and what happened since the box started.

    state: `idle` while nobody reads it; `recovering` until it delivers again; `lost` when the attempts are spent.
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
    """How many sensors have been heard since it was opened; 1 for a camera that has."""
    counters: tuple[tuple[str, int], ...] = ()
    """The driver's own, since it was opened."""


class Ladder:
    """Says which attempt is next and when; knows no device."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: monotonic seconds."""
        self._clock = clock
        self._began: deque[float] = deque(maxlen=len(RUNGS))
        self._ended_s = 0.0

    @property
    def spent(self) -> bool:
        """Whether another attempt now would be one too many within the window."""
        return self._recent() == len(RUNGS)

    @property
    def due_s(self) -> float:
        """When the next attempt may begin, on the clock."""
        recent = self._recent()
        if recent == 0:
            return self._clock()
        if recent == len(RUNGS):
            return self._began[0] + WINDOW_S
        return self._ended_s + FIRST_PAUSE_S * 2.0 ** (recent - 1)

    def climb(self) -> Rung:
        """An attempt begins: what it is to do."""
        rung = RUNGS[min(self._recent(), len(RUNGS) - 1)]
        self._began.append(self._clock())
        self._ended_s = self._began[-1]
        return rung

    def failed(self) -> None:
        """The attempt is over; the pause begins."""
        self._ended_s = self._clock()

    def _recent(self) -> int:
        now = self._clock()
        while self._began and now - self._began[0] >= WINDOW_S:
            self._began.popleft()
        return len(self._began)
