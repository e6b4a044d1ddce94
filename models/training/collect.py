"""All comparisons that are learned from and measured with, into one file.

python -m models.training.collect [--quick] --out EXAMPLES [MANIFEST...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from appliance.quality.levels import write_distribution
from models.training import real_sets, virtual
from models.training.examples import joined

_CASES = {"training": 6000, "test": 1500}
_QUICK = {"training": 900, "test": 150}
"""Enough that every movement has the scores that five levels need."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifests", type=Path, nargs="*")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    drawn = {
        family: virtual.graded_cases(family, count) for family, count in (_QUICK if options.quick else _CASES).items()
    }
    fifths = virtual.distribution(drawn["training"])
    parts = [virtual.examples_of(family, cases, fifths) for family, cases in drawn.items()]
    parts += [real_sets.examples_of(manifest) for manifest in options.manifests]
    joined(parts).save(options.out)
    write_distribution(options.out.with_name("levels.json"), fifths)


if __name__ == "__main__":
    main()
