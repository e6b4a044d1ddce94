"""Feeds a parser with inputs made from valid ones by breaking them, and checks what any input must leave true:
no exception but the device error tree, no input that takes long, no memory that grows."""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time

from targets import TARGETS

_LONGEST_S = 1.0
_MOST_GROWTH_MIB = 48
_SETTLED = 0.2
"""Share of the inputs after which caches are full and memory must stay."""

_HELP = """Feeds a parser with broken input.

example: tools/fuzz xbus --inputs 1000000

Each input is a valid message that was cut, changed, repeated, or mixed with noise. Fails (exit 1) and prints the seed
and the input where the parser raises anything but a device error, takes longer than a second, or keeps growing.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/fuzz", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--inputs", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs (default 1)")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 (not for secrets)
    feed = TARGETS[options.target](chance)
    begin = time.monotonic()
    slowest = 0.0
    settled_mib = None
    for number in range(options.inputs):
        before = time.perf_counter()
        try:
            feed()
        except Exception:
            print(f"input {number} of seed {options.seed} broke {options.target}:", file=sys.stderr)
            raise
        slowest = max(slowest, time.perf_counter() - before)
        if number >= _SETTLED * options.inputs and settled_mib is None:
            settled_mib = _memory_mib()
    growth = _memory_mib() - (settled_mib or 0.0)
    sound = slowest < _LONGEST_S and growth < _MOST_GROWTH_MIB
    print(json.dumps({"target": options.target, "inputs": options.inputs, "seed": options.seed,
                      "seconds": round(time.monotonic() - begin, 1), "slowest_ms": round(1e3 * slowest, 2),
                      "growth_mib": round(growth, 1), "sound": sound}))  # fmt: skip
    return 0 if sound else 1


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


sys.exit(main())
