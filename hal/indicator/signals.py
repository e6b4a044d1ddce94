"""What each cue looks and sounds like: one table for every light and every speaker. Choice of patterns: ours.

Lights differ in rhythm as well as in colour, so that one white LED, and a patient who cannot tell red from green, will
do; tones differ in number and in whether they rise or fall. `docs/indicator.md` shows the table to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hal.types import CueKind

Colour = tuple[float, float, float]
"""Red, green, blue, each 0..1."""

WHITE, BLUE, GREEN, AMBER, RED = (1.0, 1.0, 1.0), (0.0, 0.2, 1.0), (0.0, 1.0, 0.0), (1.0, 0.6, 0.0), (1.0, 0.0, 0.0)
STEADY: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """rhythm: seconds on, off, on, off ..., repeated; `STEADY` is always on. tones: frequency (Hz), duration (s)."""

    colour: Colour
    rhythm: tuple[float, ...]
    tones: tuple[tuple[float, float], ...]


_LOW, _A, _C_SHARP, _E, _HIGH = 220.0, 440.0, 554.4, 659.3, 880.0

SIGNALS: Mapping[CueKind, Signal] = {
    "setup": Signal(WHITE, (2.0, 2.0), ((_A, 0.12), (_A, 0.12))),
    "waiting": Signal(WHITE, (0.1, 2.9), ((_A, 0.12),)),
    "ready": Signal(BLUE, (1.0, 1.0), ((_A, 0.18), (_E, 0.3))),
    "place": Signal(BLUE, (0.3, 0.7), ((_C_SHARP, 0.2), (_C_SHARP, 0.2))),
    "countdown": Signal(BLUE, (0.25, 0.25), ((_E, 0.12),)),
    "recording": Signal(GREEN, STEADY, ((_HIGH, 0.5),)),
    "beat_start": Signal(GREEN, (0.1, 0.3, 19.6, 0.1), ((_HIGH, 0.1),)),
    "beat_turn": Signal(GREEN, (0.1, 0.3, 0.3, 0.3, 18.0, 0.1), ((_E, 0.1),)),
    "beat_end": Signal(GREEN, (40.0, 0.3), ((_A, 0.1),)),
    "paused": Signal(AMBER, (0.8, 0.4), ((_E, 0.2), (_LOW, 0.4))),
    "scoring": Signal(BLUE, (0.15, 0.15), ((_E, 0.1), (_E, 0.1))),
    "done": Signal(GREEN, (2.7, 0.3), ((_A, 0.15), (_C_SHARP, 0.15), (_E, 0.4))),
    "question": Signal(WHITE, (0.15, 0.15, 0.15, 0.15, 0.15, 0.95), ((_A, 0.15), (_HIGH, 0.3))),
    "noted": Signal(WHITE, (1.65, 0.2), ((_C_SHARP, 0.1), (_E, 0.1))),
    "abandoned": Signal(AMBER, (0.1, 0.2, 0.1, 1.6), ((_E, 0.25), (_A, 0.4))),
    "fault": Signal(RED, (0.4, 0.4), ((_LOW, 0.25), (_LOW, 0.25), (_LOW, 0.25))),
    "help": Signal(RED, (0.4, 0.1), ((_HIGH, 0.3), (_LOW, 0.3), (_HIGH, 0.3), (_LOW, 0.3))),
}
