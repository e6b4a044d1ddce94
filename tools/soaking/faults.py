"""What the sensors do wrong, one fault a set, and what the box must have counted of it."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass

from simulator.faults import KINDS

_LOSING_SILENCE_S = 1.2
"""The drivers call a line lost that says nothing for a second; a shorter silence is only a gap."""

DEFAULT = ("noise:2", "half-packets:2", "bad-checksum:2", "silence:0.6", "silence:2.5", "dropout:2", "hang-up:1",
           "clock-jump:3600", "clock-jump:-3600")  # fmt: skip
_ONLY_XBUS = ("bad-checksum", "clock-jump")
"""A broadcast frame has neither checksum nor clock."""


@dataclass(frozen=True)
class Trial:
    """One fault: `text` as the user writes it."""

    text: str
    kind: str
    span_s: float

    @property
    def lasts_s(self) -> float:
        """Until the device behaves again."""
        return 0.0 if self.kind == "clock-jump" else self.span_s

    @property
    def loses(self) -> bool:
        """Whether the device is lost by it and has to be opened anew."""
        return self.kind == "hang-up" or (self.kind == "silence" and self.span_s >= _LOSING_SILENCE_S)

    def expected(self, did: Counter[str]) -> dict[str, int]:
        """What the box must count, from what the simulated device did."""
        if self.loses:
            return {"interruptions": 1}
        return {
            "interruptions": 0,
            # overflowed: this machine was too busy to read the line, and a real port would lose it as well.
            "lost": did["half_packets"] + did["bad_checksums"] + did["withheld"] + did["overflowed"],
            "discarded_bytes": did["junk_bytes"],
            "clock_jumps": did["clock_jumps"],
        }


def parse(text: str) -> Trial:
    """KIND:SPAN of the command line."""
    kind, _, span = text.partition(":")
    try:
        return Trial(text, KINDS[kind] and kind, float(span))
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r}: must be KIND:SPAN with SPAN in seconds and KIND one of {', '.join(KINDS)}"
        ) from None


def default(device: str) -> list[Trial]:
    """Every fault that the device knows."""
    trials = [parse(text) for text in DEFAULT]
    return [trial for trial in trials if device == "xbus" or trial.kind not in _ONLY_XBUS]
