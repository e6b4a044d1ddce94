"""The noise floor: what an instructor who repeats an exercise differs from themself (HS-BTW, section 5; how: ours).

A patient's difference up to it is within the instructor's own variation and on its own says nothing. It comes from
further takes where there are some, else from the repetitions that the reference itself holds. It is the largest
difference that they showed: on UI-PRMD that of two single repetitions is like that of two sets of three (D_P 0.01 to
0.05 for both).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, permutations
from statistics import median

from appliance.errors import NotScorableError
from appliance.scoring.compare import Comparison, compare
from appliance.scoring.options import ScoringOptions
from appliance.scoring.prepare import prepare_reference
from appliance.segmentation.repetitions import find_repetitions
from appliance.skeleton.standard import Recording

SCORES = ("pose_dissimilarity", "dynamics_dissimilarity", "dissimilarity", "dissimilarity_extended")
"""The scores that have a floor; of D_T and D, which may be negative, it is one of their size."""
MOST_REPETITIONS = 6
"""The first so many of a reference are compared with each other: thirty comparisons."""


def floor_of(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """By score, the largest of the comparisons with the reference, of the instructor's further takes or of the people
    whose average it is; a score that one of them lacks has none."""
    floor = {}
    for name in SCORES:
        values = [getattr(comparison, name) for comparison in comparisons]
        if values and None not in values:
            floor[name] = max(abs(value) for value in values)
    return floor


def floor_of_reference(reference: Recording, options: ScoringOptions) -> dict[str, float]:
    """Of the repetitions that a reference holds, each against each other; empty for fewer than two whole ones.

    To each belongs the rest after it, as to those of a set: frames at rest make every mean smaller.
    """
    try:
        found = find_repetitions(reference, options.joints)
        whole = [repetition for repetition in found if repetition.complete][:MOST_REPETITIONS]
        if len(whole) < 2:
            return {}
        rest_s = median(max(0.0, later.start_s - earlier.end_s) for earlier, later in pairwise(whole))
        parts = [reference.between(repetition.start_s, repetition.end_s + rest_s) for repetition in whole]
        prepared = [prepare_reference(part, options) for part in parts]
        return floor_of([compare(prepared[a], parts[b]) for a, b in permutations(range(len(parts)), 2)])
    except NotScorableError:
        return {}


def floor_of_takes(reference: Recording, second: Recording | None, options: ScoringOptions) -> dict[str, float]:
    """Of the instructor's second take, where there is one that can be compared; else of the reference's repetitions."""
    if second is not None:
        try:
            takes = (reference, second)
            return floor_of([compare(prepare_reference(takes[a], options), takes[b]) for a, b in ((0, 1), (1, 0))])
        except NotScorableError:
            pass
    return floor_of_reference(reference, options)


def within(comparison: Comparison, floor: Mapping[str, float]) -> list[str]:
    """The scores that are no larger than the floor."""
    return [
        name
        for name, limit in floor.items()
        if (value := getattr(comparison, name)) is not None and abs(value) <= limit
    ]
