"""What each cue looks and sounds like: one table for every light and every speaker. Choice of patterns: ours.

Lights differ in rhythm as well as in colour, so that one white LED, and a patient who cannot tell red from green, will
do; tones differ in number and in whether they rise or fall. Nothing that lasts for minutes flashes more than thrice
a second. A question flashes as often as it has answers, and an answer is shown back by as many gaps in a long light as
the button is pressed for it. `docs/indicator.md` shows the table to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hal.types import Cue

Colour = tuple[float, float, float]
"""Red, green, blue, each 0..1."""

WHITE, BLUE, GREEN, AMBER, RED = (1.0, 1.0, 1.0), (0.0, 0.2, 1.0), (0.0, 1.0, 0.0), (1.0, 0.6, 0.0), (1.0, 0.0, 0.0)
PINK = (1.0, 0.0, 0.5)
STEADY: tuple[float, ...] = ()
COUNTABLE = 8
"""More flashes than that nobody counts."""


@dataclass(frozen=True, slots=True)
class Signal:
    """rhythm: seconds on, off, on, off ..., repeated; `STEADY` is always on. tones: frequency (Hz), duration (s)."""

    colour: Colour
    rhythm: tuple[float, ...]
    tones: tuple[tuple[float, float], ...]


_LOW, _A, _C_SHARP, _E, _HIGH = 220.0, 440.0, 554.4, 659.3, 880.0

_ONE, _TWO, _THREE = (1.65, 0.2), (1.65, 0.2, 0.25, 0.2), (1.65, 0.2, 0.25, 0.2, 0.25, 0.2)

SIGNALS: Mapping[str, Signal] = {
    "setup": Signal(WHITE, (2.0, 2.0), ((_A, 0.12), (_A, 0.12))),
    "waiting": Signal(WHITE, (0.1, 2.9), ((_A, 0.12),)),
    "ready": Signal(BLUE, (1.0, 1.0), ((_A, 0.18), (_E, 0.3))),
    "place": Signal(BLUE, (0.3, 0.7), ((_C_SHARP, 0.2), (_C_SHARP, 0.2))),
    "place-too_near": Signal(BLUE, (0.1, 0.25), ((_C_SHARP, 0.2), (_A, 0.2))),
    "place-too_far": Signal(BLUE, (0.2, 1.8), ((_A, 0.2), (_C_SHARP, 0.2))),
    "countdown": Signal(BLUE, (0.25, 0.25), ((_E, 0.12),)),
    "recording": Signal(GREEN, STEADY, ((_HIGH, 0.5),)),
    "beat_start": Signal(GREEN, (0.1, 0.3, 19.6, 0.1), ((_HIGH, 0.1),)),
    "beat_turn": Signal(GREEN, (0.1, 0.3, 0.3, 0.3, 18.0, 0.1), ((_E, 0.1),)),
    "beat_end": Signal(GREEN, (40.0, 0.3), ((_A, 0.1),)),
    "paused": Signal(AMBER, (0.8, 0.4), ((_E, 0.2), (_LOW, 0.4))),
    "scoring": Signal(BLUE, (0.15, 0.15), ((_E, 0.1), (_E, 0.1))),
    "done": Signal(GREEN, (2.7, 0.3), ((_A, 0.15), (_C_SHARP, 0.15), (_E, 0.4))),
    "question": Signal(WHITE, (0.15, 0.15, 0.15, 0.15, 0.15, 0.95), ((_A, 0.15), (_HIGH, 0.3))),
    "question-pain": Signal(PINK, (0.4, 0.3, 0.4, 0.9), ((_A, 0.15), (_HIGH, 0.15), (_HIGH, 0.3))),
    "question-effort": Signal(
        WHITE, (0.4, 0.3, 0.4, 0.3, 0.4, 0.9), ((_A, 0.15), (_HIGH, 0.15), (_HIGH, 0.15), (_HIGH, 0.3))
    ),
    "question-all_right": Signal(WHITE, (0.9, 0.2, 0.2, 0.2), ((_A, 0.15), (_HIGH, 0.3), (_A, 0.15), (_HIGH, 0.3))),
    "pressed": Signal(WHITE, (0.05, 0.2, 60.0, 0.2), ((_C_SHARP, 0.1),)),
    "noted": Signal(WHITE, (0.1, 0.9), ((_E, 0.1), (_C_SHARP, 0.1))),
    "noted-yes": Signal(PINK, _ONE, ((_C_SHARP, 0.1), (_E, 0.1))),
    "noted-no": Signal(PINK, _TWO, ((_C_SHARP, 0.1), (_E, 0.1), (_E, 0.1))),
    "noted-easy": Signal(WHITE, _ONE, ((_C_SHARP, 0.1), (_E, 0.1))),
    "noted-right": Signal(WHITE, _TWO, ((_C_SHARP, 0.1), (_E, 0.1), (_E, 0.1))),
    "noted-hard": Signal(WHITE, _THREE, ((_C_SHARP, 0.1), (_E, 0.1), (_E, 0.1), (_E, 0.1))),
    "abandoned": Signal(AMBER, (0.1, 0.2, 0.1, 1.6), ((_E, 0.25), (_A, 0.4))),
    "fault": Signal(RED, (0.4, 0.4), ((_LOW, 0.25), (_LOW, 0.25), (_LOW, 0.25))),
    "help": Signal(RED, (0.4, 0.1), ((_HIGH, 0.3), (_LOW, 0.3), (_HIGH, 0.3), (_LOW, 0.3))),
}
"""By kind of cue, and by `<cue>-<hint>` where a hint has a signal of its own."""

ALIKE: Mapping[str, str] = {
    "place-alone": "paused",
    "question-pain_button": "question-pain",
    "question-effort_button": "question-effort",
}
"""Hints that ask for the same as another cue does."""


def signal_name(cue: Cue) -> str:
    """Which of `SIGNALS` shows it: the most particular one."""
    name = f"{cue.kind}-{cue.hint}"
    name = ALIKE.get(name, name)
    return name if name in SIGNALS else cue.kind


def signal_of(cue: Cue) -> Signal:
    """How it is shown. `ready` flashes as often as its `detail["number"]` says: who does not hear finds the exercise in
    their plan by it."""
    signal = SIGNALS[signal_name(cue)]
    number = int(cue.detail.get("number", 0)) if cue.kind == "ready" else 0
    return replace(signal, rhythm=(0.6, 0.3) * (number - 1) + (0.6, 2.2)) if 0 < number <= COUNTABLE else signal
