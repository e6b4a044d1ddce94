"""All comparisons that are learned from and measured with, into one file; beside it the distribution of virtual scores.

python -m models.training.collect [--quick] [--jobs N] --out EXAMPLES [--finerehab FOLDER] [MANIFEST...]

What of FineRehab's folder is damaged is told on stderr, a line each, and left out.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from appliance.commands.output import progress_bar
from appliance.errors import RehabBoxError
from appliance.quality.levels import write_distribution
from appliance.quality.relative import CHANNELS, DIFFERENCES, FEATURES, GROUPS, PHASES
from models.training import finerehab_examples, real_sets, virtual
from models.training.examples import joined
from models.training.layout import Layout

_CASES = {"training": 64000, "test": 1200}
_QUICK = {"training": 900, "test": 150}
"""Enough that every movement has the scores that five levels need."""
_CHUNK = 200


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("manifests", type=Path, nargs="*")
    parser.add_argument("--finerehab", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        real = [pool.submit(real_sets.examples_of, manifest) for manifest in options.manifests]
        if options.finerehab:
            real.append(pool.submit(finerehab_examples.examples_of, options.finerehab, _tell))
        drawn = {
            family: [
                pool.submit(partial(virtual.examples_of, family, min(_CHUNK, count - first), first))
                for first in range(0, count, _CHUNK)
            ]
            for family, count in (_QUICK if options.quick else _CASES).items()
        }
        together: list[Future[Any]] = [*real, *(chunk for family in drawn.values() for chunk in family)]
        try:
            with progress_bar() as progress:
                task = progress.add_task("compared", total=len(together), note="")
                for each in as_completed(together):
                    each.result()
                    progress.advance(task)
        except RehabBoxError as error:
            _tell(error)
            pool.shutdown(cancel_futures=True)
            sys.exit(1)
        fifths = virtual.distribution_over(chunk.result()[1] for chunk in drawn["training"])
        chunks = [chunk.result()[0] for family in drawn.values() for chunk in family]
        examples = joined([*chunks, *(each.result() for each in real)])
    five = virtual.levelled(examples, examples.grades.astype(np.float64), fifths)
    replace(examples, five=five).save(options.out)
    write_distribution(options.out.with_name("levels.json"), fifths)
    _layout().save(options.out.with_name("layout.json"))


def _tell(error: RehabBoxError) -> None:
    print(f"collect: {error}", file=sys.stderr, flush=True)  # noqa: T201


def _layout() -> Layout:
    ends = np.cumsum([len(group) for group in GROUPS.values()]).tolist()
    places = {name: slice(end - len(group), end) for (name, group), end in zip(GROUPS.items(), ends, strict=True)}
    return Layout(PHASES, len(CHANNELS), len(FEATURES), places, DIFFERENCES)


if __name__ == "__main__":
    main()
