"""Who and what is left out of training, so that every figure is of persons the model never saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from models.training.examples import FINEREHAB, VIRTUAL_TESTS, Examples

PERSON_FOLDS = 6
MOVEMENT_FOLDS = 3
"""Into how many groups the persons of each set fall where a movement is left out as well."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What is left out: persons, and for every one of them the movements, by data set; no movement means all of theirs.

    Raises nothing; an empty fold leaves nobody out, which is how the shipped model is trained.
    """

    name: str
    persons: tuple[str, ...] = ()
    exercises: tuple[str, ...] = ()

    @property
    def measures_grades(self) -> bool:
        """The shipped model's are measured on the virtual tests, a fold's on the persons of FineRehab it leaves out."""
        graded = any(name.split("/")[0] == FINEREHAB for name in self.persons)
        return self == SHIPPED or (graded and not self.exercises)

    def training(self, examples: Examples) -> NDArray[np.bool_]:
        """(n,) rows in which neither the persons nor the movements have any part, as patient or as reference."""
        rows = ~np.isin(examples.person, self.persons) & ~np.isin(examples.reference_person, self.persons)
        if self.exercises:
            rows &= ~np.isin(examples.exercise, self.exercises) & ~np.isin(examples.reference_exercise, self.exercises)
        return np.asarray(rows & (examples.source != VIRTUAL_TESTS))

    def test(self, examples: Examples) -> NDArray[np.bool_]:
        """(n,) rows of the persons and movements left out, against the references that figures are measured with; and
        the virtual tests, which everything but a movement left out is tried on."""
        rows = np.isin(examples.person, self.persons)
        if self.exercises:
            rows &= np.isin(examples.exercise, self.exercises)
        else:
            rows |= examples.source == VIRTUAL_TESTS
        return np.asarray(rows & examples.measured)


SHIPPED = Fold("shipped")


REAL = ("ui-prmd-kinect2", "wmft-kinect2")
"""The sets of which movements are left out; the sixteen, virtual or FineRehab's, are what the network has to know."""


def folds_named(which: str, examples: Examples) -> list[Fold]:
    """`shipped`: only that one. `persons`: and each group of persons left out. `all`: and each movement."""
    persons = [] if which == "shipped" else list(person_folds(examples))
    return [SHIPPED, *persons, *(movement_folds(examples, REAL) if which == "all" else ())]


def person_folds(examples: Examples) -> Iterator[Fold]:
    """Each person of every set is left out once."""
    for index, persons in enumerate(_groups(examples, PERSON_FOLDS)):
        yield Fold(f"persons_{index + 1}", persons)


def movement_folds(examples: Examples, sources: tuple[str, ...]) -> Iterator[Fold]:
    """Each movement of these sets is left out once for each group of persons; the sets in step, one of each."""
    movements = [sorted(set(examples.exercise[examples.source == source].tolist())) for source in sources]
    for index, left_out in enumerate(zip_longest(*movements)):
        for group, persons in enumerate(_groups(examples, MOVEMENT_FOLDS)):
            yield Fold(f"movement_{index + 1}_{group + 1}", persons, tuple(name for name in left_out if name))


def _groups(examples: Examples, count: int) -> list[tuple[str, ...]]:
    groups: list[list[str]] = [[] for _ in range(count)]
    for source in sorted(set(examples.source.tolist())):
        persons = sorted(set(examples.person[examples.source == source].tolist()))
        for index, person in enumerate(persons):
            groups[index % count].append(person)
    return [tuple(group) for group in groups]
