"""All that a report shows of one set, computed once: the page and its pictures only lay it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from appliance.assessment import Assessment, assess, set_of
from appliance.errors import NotScorableError
from appliance.exercises import Exercise
from appliance.quality.judgement import usable_judge
from appliance.report.differences import differences
from appliance.report.pairs import Pairs, pairs_of
from appliance.report.taken import Taken
from appliance.report.words import Finding, findings
from appliance.scoring.body import Floats
from appliance.scoring.compare import Comparison, compare
from appliance.scoring.noise import floor_of_reference
from appliance.scoring.options import ScoringOptions, options_for
from appliance.scoring.prepare import Prepared, PreparedReference, prepare, prepare_reference
from appliance.segmentation.repetitions import Repetition, find_repetitions
from appliance.skeleton.standard import JOINTS, Recording

PHASES = ("start", "on the way", "turning point", "on the way back", "end")
MOST_ROWS = 4
"""Repetitions that are drawn: the first, the farthest from the reference, the last, and one more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One repetition at `PHASES`. number: from 1; farthest: of all, from the reference.

    patient, reference: (phases, 17, 3) normalised positions of matched frames, NaN where not seen.
    """

    number: int
    patient: Floats
    reference: Floats
    pose_dissimilarity: float
    farthest: bool


@dataclass(frozen=True, slots=True)
class Along:
    """Along one repetition's path. times: (K,) s of the patient's recording, increasing; joints: (K, joints) weighted
    distances, whose squares sum to the square of d_k."""

    times: Floats
    joints: Floats


@dataclass(frozen=True, slots=True)
class Point:
    """A set on the plane of pose and dynamics."""

    pose: float
    dynamics: float
    when: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """comparison, rows, along: none where the set could not be scored; `assessment.reason` says why.
    shown: complete repetitions that the reference has.

    course: earlier sets of the same exercise, oldest first, then this one. noise_floor: of the reference, by score.
    """

    taken: Taken
    reference_name: str
    exercise: Exercise
    assessment: Assessment
    course: tuple[Point, ...]
    noise_floor: dict[str, float]
    unit: str
    shown: int = 0
    repetitions: tuple[Repetition, ...] = ()
    comparison: Comparison | None = None
    rows: tuple[Row, ...] = ()
    along: tuple[Along, ...] = ()
    joints: tuple[str, ...] = ()
    words: tuple[Finding, ...] = ()

    @property
    def found(self) -> list[Finding]:
        """What stands out."""
        return [finding for finding in self.words if finding.clear]

    @property
    def lesser(self) -> list[Finding]:
        """What correct recordings show too."""
        return [finding for finding in self.words if not finding.clear]


def content_of(
    taken: Taken,
    reference: Recording,
    reference_name: str,
    exercise: Exercise,
    earlier: Sequence[Taken] = (),
    phi_deg: float | None = None,
) -> Content:
    """Raises `NotScorableError` where the reference itself is of no use; a patient's recording never raises."""
    options = replace(options_for(exercise), phi_deg=phi_deg)
    try:
        prepared = prepare_reference(reference, options)
    except NotScorableError as error:
        raise NotScorableError(f"{reference_name}: {error}") from None
    floor = floor_of_reference(reference, options)
    assessment = assess(taken.recording, reference, exercise, phi_deg, floor, usable_judge(), taken.side)
    course = [point for one in earlier if (point := _point(prepared, one)) is not None]
    if assessment.reason is not None:
        return Content(taken, reference_name, exercise, assessment, tuple(course), floor, options.unit)
    repetitions = tuple(find_repetitions(taken.recording, options.joints))
    part = set_of(taken.recording, repetitions)
    comparison = compare(prepared, part)
    done = [one for one in repetitions if one.complete]
    shown = [one for one in find_repetitions(reference, options.joints) if one.complete]
    course.append(Point(comparison.pose_dissimilarity, comparison.dynamics_dissimilarity, taken.started))
    patient = prepare(part, options)
    pairs = pairs_of(prepared, shown, patient, repetitions)
    return Content(
        taken=taken,
        reference_name=reference_name,
        exercise=exercise,
        assessment=assessment,
        course=tuple(course),
        noise_floor=floor,
        unit=options.unit,
        shown=len(shown),
        repetitions=repetitions,
        comparison=comparison,
        rows=_rows(repetitions, pairs, patient.times, _whole(reference, options), _whole(part, options)),
        along=tuple(_along(patient, one) for one in pairs if one is not None),
        joints=options.joints,
        words=tuple(findings(differences(reference, shown, part, done, options.joints), repetitions)),
    )


def _point(prepared: PreparedReference, earlier: Taken) -> Point | None:
    """None for a set that has no score."""
    try:
        repetitions = find_repetitions(earlier.recording, prepared.options.joints)
        if not any(one.complete for one in repetitions):
            return None
        found = compare(prepared, set_of(earlier.recording, repetitions))
    except NotScorableError:
        return None
    return Point(found.pose_dissimilarity, found.dynamics_dissimilarity, earlier.started)


def _whole(recording: Recording, options: ScoringOptions) -> Prepared:
    """Every joint, on the frames of what was compared."""
    return prepare(recording, replace(options, joints=JOINTS))


def _along(patient: Prepared, pairs: Pairs) -> Along:
    """A moment that is paired more than once counts with its last pair."""
    times, last = np.unique(patient.times[pairs.patient][::-1], return_index=True)
    return Along(times, np.sqrt(pairs.parts[::-1][last]))


def _rows(
    repetitions: Sequence[Repetition],
    pairs: Sequence[Pairs | None],
    times: Floats,
    reference: Prepared,
    patient: Prepared,
) -> tuple[Row, ...]:
    rows = []
    drawn, farthest = _drawn(repetitions, pairs)
    for place in drawn:
        one, paired = repetitions[place], pairs[place]
        assert paired is not None
        turn_s = one.reverse_s if one.reverse_s is not None else (one.start_s + one.end_s) / 2.0
        moments = (one.start_s, (one.start_s + turn_s) / 2.0, turn_s, (turn_s + one.end_s) / 2.0, one.end_s)
        at = np.array([np.abs(times[paired.patient] - moment).argmin() for moment in moments])
        done, shown = patient.positions[paired.patient[at]], reference.positions[paired.reference[at]]
        rows.append(Row(place + 1, done, shown, paired.pose_dissimilarity, place == farthest))
    return tuple(rows)


def _drawn(repetitions: Sequence[Repetition], pairs: Sequence[Pairs | None]) -> tuple[list[int], int]:
    """Which are drawn, in the order of time, incomplete ones only where there is room; and the farthest."""
    can = {place: one.pose_dissimilarity for place, one in enumerate(pairs) if one is not None}
    complete = [place for place in can if repetitions[place].complete]
    farthest = max(complete, key=lambda place: can[place])
    wanted = [complete[0], farthest, complete[-1], *complete, *can]
    return sorted(list(dict.fromkeys(wanted))[:MOST_ROWS]), farthest
