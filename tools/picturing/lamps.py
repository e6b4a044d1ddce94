"""Draws the box's light as it shines for each thing that it says, from the table that it goes by itself."""

from __future__ import annotations

import numpy as np

from hal.indicator.signals import SIGNALS, Colour, signal_of
from hal.types import Cue
from svg import rect, sheet

LAMPS: tuple[str, ...] = (
    "waiting", "ready", "place", "place-too_near", "place-too_far", "countdown", "recording", "paused", "done",
    "question", "question-pain", "question-effort", "question-all_right",
    "noted", "noted-yes", "noted-no", "noted-easy", "noted-right", "noted-hard", "abandoned", "fault", "help",
)  # fmt: skip
_SHOWN_S = 6.0
"""Of a lamp's rhythm."""


def lamp(name: str) -> str:
    """The lamp as it shines (`ready`: for a second exercise), and six seconds of its rhythm as a strip, for paper."""
    signal = signal_of(Cue("ready", detail={"number": "2"})) if name == "ready" else SIGNALS[name]
    colour, rhythm = _hex(signal.colour), signal.rhythm or (1.0,)
    whole = sum(rhythm)
    edges = np.concatenate([[0.0], np.cumsum(rhythm)])
    steps = [f"{100 * edge / whole:.2f}%{{fill-opacity:{1 - place % 2}}}" for place, edge in enumerate(edges[:-1])]
    style = (
        f"@keyframes shine{{{''.join(steps)}}}.lamp{{animation:shine {whole:g}s step-end infinite}}"
        "@media (prefers-reduced-motion:reduce){.lamp{animation:none}}"
        if signal.rhythm
        else ""
    )
    parts = [
        '<circle cx="24" cy="22" r="14" fill="none" stroke="#adb5bd" stroke-width="2"/>',
        f'<circle class="lamp" cx="24" cy="22" r="13" fill="{colour}"/>',
        rect(50, 15, 150, 14, "#495057"),
    ]
    left, px = 50.0, 150.0 / _SHOWN_S
    start = 0.0
    while start < _SHOWN_S:
        for place, lasts in enumerate(rhythm):
            end = min(start + lasts, _SHOWN_S)
            if place % 2 == 0 and start < end:
                parts.append(rect(left + px * start, 15, px * (end - start), 14, colour))
            start += lasts
    return sheet(216, 44, parts, ground="#212529", style=style)


def _hex(colour: Colour) -> str:
    """As a lamp looks; a screen's pure blue is too dark to see on a dark ground."""
    red, green, blue = (round(255 * (0.25 + 0.75 * one)) for one in colour)
    return f"#{red:02x}{green:02x}{blue:02x}"
