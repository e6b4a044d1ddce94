"""The six classifiers on plain kinematic features, and what the most frequent class would have said.

    python -m models.training.baselines.classics SAMPLES RUNS [--whole-grid]

Runs in the box's own environment, which has scikit-learn among what developers need.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from models.training.baselines.problems import (
    FIVE_FOLDS,
    REPETITIONS,
    WHOLE_SETS,
    Answer,
    Asked,
    classes_of,
    problems,
    runs_of,
)
from models.training.baselines.runs import Run, append
from models.training.baselines.samples import OTHER_FAMILIES, Samples

SEED = 3
NEAREST, MOST_FREQUENT = "1-nearest neighbour", "most frequent class"
CLASSICS: dict[str, Callable[[], Any]] = {
    "random forest": lambda: RandomForestClassifier(200, random_state=SEED),
    "decision tree": lambda: DecisionTreeClassifier(random_state=SEED),
    "logistic regression": lambda: LogisticRegression(C=0.1, max_iter=500),
    "k-NN": lambda: KNeighborsClassifier(5),
    "naive Bayes": lambda: GaussianNB(var_smoothing=1e-3),
    "neural network": lambda: MLPClassifier((64,), alpha=1e-2, max_iter=120, random_state=SEED),
    NEAREST: lambda: KNeighborsClassifier(1),
    MOST_FREQUENT: lambda: DummyClassifier(),
}
"""The papers' settings are not known to us; these are ordinary ones, the same for every data set and task."""


def asked_of(samples: Samples, whole_grid: bool) -> Iterator[Asked]:
    """What every classifier is asked. Sets where no person repeats a movement are no sets, and not asked about."""
    for source in sorted(set(samples.source.tolist()) - {OTHER_FAMILIES}):
        of = samples.of(source)
        repeated = len(set(of.set.tolist())) < len(of)
        yield Asked("movement", source, "3:1")
        yield Asked("level", source, "3:1")
        for split in ("70/30", FIVE_FOLDS, *(("70/30 at random",) if whole_grid else ())):
            for given in (REPETITIONS, WHOLE_SETS) if repeated else (REPETITIONS,):
                yield Asked("level by movement", source, split, given)


def measured(system: str, samples: Samples, asked: Asked) -> list[Run]:
    """One classifier, trained and measured on all that is asked."""
    classes = classes_of(samples.of(asked.source), asked.task)
    answers = []
    for problem in problems(samples, asked):
        classifier = make_pipeline(StandardScaler(), CLASSICS[system]())
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # where it stops is one of its settings
            classifier.fit(problem.training.features, problem.labels)
        seconds, persons = time.process_time() - started, len(set(problem.training.person.tolist()))
        answers += [Answer(part, classifier.predict(part.features), persons, seconds) for part in problem.measured]
    return runs_of(answers, asked, classes, system)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("samples", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--whole-grid", action="store_true")
    options = parser.parse_args()
    samples = Samples.load(options.samples)
    for asked in asked_of(samples, options.whole_grid):
        for system in CLASSICS:
            for run in measured(system, samples, asked):
                append(options.runs, run)
        print(f"{asked.source}: {asked.task}, {asked.split}, {asked.given}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
