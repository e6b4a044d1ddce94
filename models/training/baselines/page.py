"""`baselines.md`, written whole from the runs, and its pictures beside it.

    python -m models.training.baselines.page RUNS... --out FOLDER

Runs in the box's own environment.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from string import Template

from appliance.recording.disk import write_whole
from appliance.scoring.pictures import require_folder
from models.training.baselines.classics import MOST_FREQUENT
from models.training.baselines.pictures import draw_all, label_of, name_of, sources_of
from models.training.baselines.problems import REPETITIONS
from models.training.baselines.published import PUBLISHED
from models.training.baselines.runs import Run, Task, read
from models.training.baselines.samples import OTHER_FAMILIES

_TASKS: dict[Task, str] = {
    "movement": "which movement",
    "level": "level, one system for all movements",
    "level by movement": "level, one system a movement",
}
_PAGE = Path(__file__).with_name("page.md")
"""The page's own words, with `$` where figures and pictures come."""
_PICTURES = {
    "movement": "Movement recognition, with and without augmentation",
    "movement_confusion": "Virtual patients: which movement is taken for which, by the better network",
    "movement_confusions": "Real recordings: which movement is taken for which, by the better network of each set",
    "level": "Levels, one system for all movements",
    "level_confusions": "Which level is taken for which, by the better network of each set",
    "level_by_movement": "Levels, one classifier for each movement, single repetitions",
}


def page_of(runs: list[Run], pictures: list[str], cost_s: float) -> str:
    """The whole text. pictures: names of those there are. cost_s: of all training, on one core."""
    sources = sources_of(runs)
    return Template(_PAGE.read_text("utf-8")).substitute(
        persons="\n".join(_persons(runs, sources)),
        table="\n".join(_table(runs, sources)),
        pictures="\n".join(f"*{_PICTURES[name]}*\n\n![{_PICTURES[name]}](baselines/{name}.png)\n" for name in pictures),
        minutes=f"{cost_s / 60.0:.0f}",
    )


def _table(runs: list[Run], sources: list[str]) -> Iterator[str]:
    head = ["asked", "split", "given", "system", *map(name_of, sources), "FineRehab, other data"]
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from _rows(runs, sources)


def _rows(runs: list[Run], sources: list[str]) -> Iterator[str]:
    """By what is asked; a published figure stands last of its own."""
    for task, words in _TASKS.items():
        of = [run for run in runs if run.task == task]
        for split, given in dict.fromkeys((run.split, run.given) for run in of):
            asked = [run for run in of if (run.split, run.given) == (split, given)]
            names = list(dict.fromkeys(label_of(run) for run in asked))
            for name in sorted(names, key=lambda name: name == MOST_FREQUENT):
                values = {run.source: run.accuracy for run in asked if label_of(run) == name}
                cells = [f"{100 * values[source]:.1f}" if source in values else "" for source in sources]
                yield _row([words, split, given, name, *cells, ""])
        for published in PUBLISHED:
            if published.task == task:
                said = [f"*{published.source}: {published.system}*", *[""] * len(sources)]
                yield _row([words, "its own", REPETITIONS, *said, f"*{100 * published.accuracy:.4g}*"])


def _persons(runs: list[Run], sources: list[str]) -> Iterator[str]:
    yield _row(["persons, for 3:1", *map(name_of, sources)])
    yield _row(["---"] * (1 + len(sources)))
    of = [next(run for run in runs if run.source == source and run.split == "3:1") for source in sources]
    yield _row(["trained on", *("the same" if run.source == OTHER_FAMILIES else str(run.trained) for run in of)])
    yield _row(["measured", *(str(run.measured) for run in of)])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    runs = [run for path in options.runs for run in read(path)]
    folder = options.out / "baselines"
    require_folder(folder)
    pictures = draw_all(folder, runs)
    spent = {(r.task, r.system, r.split, r.given, r.augmentation, r.classes): r.seconds for r in runs}
    write_whole(options.out / "baselines.md", page_of(runs, pictures, sum(spent.values())).encode())


if __name__ == "__main__":
    main()
