"""Feeds a parser with inputs made from valid ones by breaking them, and checks what any input must leave true:
no exception but the project's own, no warning, no input that takes long, no memory that grows."""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from types import FrameType

from targets import SHARES, TARGETS

_LONGEST_S = 1.0
"""Of the processor, so that a busy machine fails nothing."""
_HUNG_S = 20.0
"""Then it is stopped, to show where it is."""
_MOST_GROWTH_MIB = 48
_SETTLED = 0.2
"""Share of the inputs after which caches are full and memory must stay."""
_IN_MEMORY = "/dev/shm"  # noqa: S108 (in a folder of our own there)
"""Where each input that is a file is written, if there is such a place: a million files wear a disk."""

_HELP = """Feeds a parser with broken input.

examples:
  tools/fuzz xbus --inputs 1000000
  tools/fuzz all --inputs 2000

Each input is a valid message or file that was cut, changed, repeated, or mixed with noise. Fails (exit 1) and prints
the seed and the number of the input where the parser raises or warns of anything but its own errors, takes longer than
a second, or keeps growing. The same seed breaks it again.
"""


class Hung(BaseException):
    """An input takes too long. No parser may catch it."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/fuzz", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=[*sorted(TARGETS), "all"], help="what to feed; all: one after another")
    parser.add_argument("--inputs", type=int, default=20_000, help="how many (default 20000); all: fewer of the slow")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs (default 1)")
    options = parser.parse_args()
    place = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder, contextlib.chdir(folder):
        if options.target != "all":
            return _fuzz(options.target, options.inputs, options.seed)
        return max(_apart(target, round(options.inputs * SHARES.get(target, 1.0)), options.seed)
                   for target in sorted(TARGETS))  # fmt: skip


def _apart(target: str, inputs: int, seed: int) -> int:
    """In a process of its own, so that its memory is told from the others'."""
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(_fuzz(target, max(1, inputs), seed)))
    child.start()
    child.join()
    return abs(child.exitcode or 0)


def _fuzz(target: str, inputs: int, seed: int) -> int:
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    feed = TARGETS[target](chance)
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, _hung)
    begin = time.monotonic()
    slowest = 0.0
    settled_mib = None
    for number in range(inputs):
        before = time.thread_time()
        signal.setitimer(signal.ITIMER_REAL, _HUNG_S)
        try:
            feed()
        except BaseException:
            print(f"input {number} of seed {seed} broke {target}:", file=sys.stderr)
            raise
        slowest = max(slowest, time.thread_time() - before)
        if number >= _SETTLED * inputs and settled_mib is None:
            settled_mib = _memory_mib()
    signal.setitimer(signal.ITIMER_REAL, 0)
    growth = _memory_mib() - (settled_mib or 0.0)
    sound = slowest < _LONGEST_S and growth < _MOST_GROWTH_MIB
    print(json.dumps({"target": target, "inputs": inputs, "seed": seed,
                      "seconds": round(time.monotonic() - begin, 1), "slowest_ms": round(1e3 * slowest, 2),
                      "growth_mib": round(growth, 1), "sound": sound}), flush=True)  # fmt: skip
    return 0 if sound else 1


def _hung(number: int, frame: FrameType | None) -> None:
    raise Hung(f"still at it after {_HUNG_S:g} s")


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


sys.exit(main())
