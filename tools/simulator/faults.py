"""When the simulated device misbehaves: KIND:AT[,SPAN], in seconds after the first data."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass

KINDS = {
    "noise": "random bytes between messages",
    "half-packets": "messages cut short",
    "bad-checksum": "messages with a wrong checksum",
    "silence": "nothing is sent, though the device goes on measuring",
    "dropout": "the first sensor (BVH: the left arm's) falls silent, the others go on",
    "hang-up": "the line disappears and comes back",
    "clock-jump": "the device's clock jumps by SPAN seconds (default 3600; may be negative)",
}
_ONCE = ("clock-jump", "hang-up")
_SPANS = {"clock-jump": 3600.0}


@dataclass(frozen=True)
class Fault:
    kind: str
    at_s: float
    span_s: float

    def active(self, now_s: float) -> bool:
        return self.at_s <= now_s < self.at_s + self.span_s


def parse(text: str) -> Fault:
    """One `--fault` of the command line."""
    kind, _, rest = text.partition(":")
    at, _, span = rest.partition(",")
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(f"{text!r}: no fault {kind!r}; choose from {', '.join(KINDS)}")
    try:
        return Fault(kind, float(at), float(span) if span else _SPANS.get(kind, 1.0))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: must be KIND:AT[,SPAN] with AT and SPAN in seconds") from None


class Schedule:
    """The faults of one run; a jump or a hang-up happens once."""

    def __init__(self, faults: Collection[Fault]) -> None:
        self._lasting: list[Fault] = []
        self._once: list[Fault] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """One more, also from another thread while the device runs."""
        if fault.kind in _ONCE:
            self._once = sorted([*self._once, fault], key=lambda fault: fault.at_s)
        else:
            self._lasting = [*self._lasting, fault]

    def active(self, now_s: float) -> set[str]:
        """Kinds that last at this time."""
        return {fault.kind for fault in self._lasting if fault.active(now_s)}

    def due(self, now_s: float) -> list[Fault]:
        """What happens once and has become due since the last call."""
        due = [fault for fault in self._once if fault.at_s <= now_s]
        self._once = self._once[len(due) :]
        return due
