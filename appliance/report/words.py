"""What costs most, in words and in figures with a unit, the dearest first (ours).

What is said is decided by sizes that somebody beside the patient could see (`_LEAST_...`); in which order, by what
each adds to the extended dissimilarity (docs/scoring.md). A sentence says what was measured, never why or what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.report.differences import Differences
from appliance.scoring.body import ANGLES, TILTS, Floats
from appliance.segmentation.repetitions import Repetition
from appliance.skeleton.standard import INDEX

_LEAST_DEG, _LEAST_PART = 10.0, 0.15
"""Of a range that is lost or added: degrees, and share of the reference's."""
_LEAST_TILT_DEG = 8.0
_SLOWER, _QUICKER = 1.3, 0.75
_LEAST_PIECES, _MORE_PIECES = 0.8, 1.4
_LONGER = 1.3
_SURELY_LONGER_S = 0.3
_BENT_DEG, _KNEES_NEARER = 40.0, 0.25
"""Both knees bend so far in the reference; they come nearer by so much of the ankles' distance."""
_HELD_DEG = 30.0
"""A limb that the reference moves by less is one that it holds still."""
_MOST_NAMED = 3
_SPOKEN_OF = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "hip", "knee"))
"""Angles that a therapist would name; thighs, shanks and the trunk against the vertical say the same otherwise."""

_LEAN = list(TILTS).index("trunk_forward")
_TILT_WORDS = {
    "trunk_forward": "the trunk leans forward or back",
    "trunk_sideways": "the trunk leans sideways",
    "shoulders_turned": "the trunk turns with the shoulders",
    "shoulders_raised": "one shoulder is raised over the other",
    "head_forward": "the head leans forward or back",
    "head_sideways": "the head leans sideways",
}
_TOPICS = {
    "range": ("joint_angle_deficit", "stiffness"),
    "compensation": (
        "trunk_inclination", "trunk_compensation", "trunk_course", "head_compensation", "head_share",
    ),
    "knees": ("posture",),
    "another way": ("posture",),
    "detours": ("body_path",),
    "halting": ("submovements",),
    "pace": ("movement_time", "slowness"),
}  # fmt: skip
"""Each component of the extended measure belongs to one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """cost: what its topic adds to the extended dissimilarity, 0 where that does not know it."""

    topic: str
    sentence: str
    cost: float


def findings(differences: Differences | None, repetitions: Sequence[Repetition]) -> list[Finding]:
    """Repetitions that were not complete come first, then the dearest; empty where nothing stands out."""
    found = _incomplete(repetitions)
    if differences is None:
        return found
    if differences.mirrored:
        found.append(Finding("side", "The other side was used than in the reference; compared in the mirror.", 0.0))
    measured = [one for topic in _TOPICS if (one := _finding(topic, differences)) is not None]
    if any(one.topic in ("compensation", "another way", "knees") for one in measured):
        measured = [one for one in measured if one.topic != "detours"]  # the way that is named is the longer one
    return found + sorted(measured, key=lambda one: -one.cost)


def _finding(topic: str, differences: Differences) -> Finding | None:
    sentence = _SENTENCES[topic](differences)
    if sentence is None:
        return None
    cost = sum(max(differences.contributions[name], 0.0) for name in _TOPICS[topic])
    return Finding(topic, sentence, cost)


def _incomplete(repetitions: Sequence[Repetition]) -> list[Finding]:
    numbers = [str(number) for number, one in enumerate(repetitions, 1) if not one.complete]
    if not numbers:
        return []
    which = f"Repetition {numbers[0]} was" if len(numbers) == 1 else f"Repetitions {_listed(numbers)} were"
    what = f"{which} not complete, of {len(repetitions)} begun: the way there or back was not seen to its end."
    return [Finding("repetitions", what, 0.0)]


def _lost_range(differences: Differences) -> str | None:
    named = _changed(differences, -1.0, "{name} {here:.0f}° of {there:.0f}°")
    return f"Less range than in the reference: {_listed(named)}." if named else None


def _added_range(differences: Differences) -> str | None:
    still = differences.reference.angle_ranges < _HELD_DEG
    form = "{name} {here:.0f}° instead of {there:.0f}°"
    held, moved = (_changed(differences, 1.0, form, of) for of in (still, ~still))
    said = [f"Limbs move that the reference holds still: {_listed(held)}."] if held else []
    said += [f"More range than in the reference: {_listed(moved)}."] if moved else []
    return " ".join(said) or None


def _changed(differences: Differences, sign: float, form: str, of: NDArray[np.bool_] | None = None) -> list[str]:
    """Of the angles whose range is much larger (sign 1) or smaller (-1) than the reference's, those changed most.

    A hip bends further where the trunk leans further: that is said of the trunk.
    """
    here, there = differences.patient.angle_ranges, differences.reference.angle_ranges
    lean = differences.patient.tilt_ranges[_LEAN] - differences.reference.tilt_ranges[_LEAN]
    leaning = np.array([lean if name.endswith("_hip") and lean >= _LEAST_TILT_DEG else 0.0 for name in ANGLES])
    change = _known_angles(differences, sign * (here - there) - (leaning if sign > 0 else 0.0))
    change = change if of is None else np.where(of, change, 0.0)
    return [
        form.format(name=name.replace("_", " "), here=here[place], there=there[place])
        for place, name in _largest(change)
        if change[place] >= max(_LEAST_DEG, _LEAST_PART * there[place])
    ]


def _fallen_knees(differences: Differences) -> str | None:
    there, here = differences.knees
    bent = [differences.reference.angle_ranges[list(ANGLES).index(f"{side}_knee")] for side in ("left", "right")]
    if not there - here >= _KNEES_NEARER or min(bent) < _BENT_DEG:  # neither is said of what is not known
        return None
    ends = "cross" if here < 0.0 else f"come to {100 * here:.0f} % of the distance of the ankles"
    return f"The knees fall inwards: they {ends} (reference: {100 * there:.0f} %)."


def _compensation(differences: Differences) -> str | None:
    """A head goes along with its trunk: it is named where it leans further than that."""
    more = dict(zip(TILTS, differences.patient.tilt_ranges - differences.reference.tilt_ranges, strict=True))
    for way in ("forward", "sideways"):
        more[f"head_{way}"] -= max(more[f"trunk_{way}"], 0.0)
    here, there = (
        dict(zip(TILTS, one.tilt_ranges, strict=True)) for one in (differences.patient, differences.reference)
    )
    named = [
        f"{_TILT_WORDS[name]} by {here[name]:.0f}° (reference: {there[name]:.0f}°)"
        for name in sorted(TILTS, key=lambda name: -more[name])
        if more[name] >= _LEAST_TILT_DEG
    ]
    return f"Compensation: {_listed(named)}." if named else None


def _detours(differences: Differences) -> str | None:
    ratios = _ratio(differences.patient.path, differences.reference.path, differences.seen)
    ratio = float(np.median(ratios)) if len(ratios) else 1.0
    return (
        f"The joints travel {ratio:.1f} times as far as the reference's: swaying or detours."
        if ratio >= _LONGER
        else None
    )


def _halting(differences: Differences) -> str | None:
    moving = _moving(differences)
    here, there = (float(one.submovements @ moving) for one in (differences.patient, differences.reference))
    if here - there < _LEAST_PIECES or here < _MORE_PIECES * there:
        return None
    return f"Not fluent: a repetition falls into {here:.0f} separate movements, the reference's into {there:.0f}."


def _pace(differences: Differences) -> str | None:
    """Where the repetitions' own length and the joints' times agree: either alone is misled by rests and small ways."""
    moving = _moving(differences)
    here, there = (float(one.movement_s @ moving) for one in (differences.patient, differences.reference))
    shown_s, done_s = differences.lasts_s
    if there <= 0.0 or shown_s <= 0.0 or abs(done_s - shown_s) < _SURELY_LONGER_S:
        return None
    ratios = (here / there, done_s / shown_s)
    if min(ratios) < _SLOWER and max(ratios) > _QUICKER:
        return None
    word = "Slower" if min(ratios) >= _SLOWER else "Hurried"
    return f"{word}: a repetition takes {done_s:.1f} s, the reference's {shown_s:.1f} s."


_SENTENCES: dict[str, Callable[[Differences], str | None]] = {
    "range": _lost_range,
    "compensation": _compensation,
    "knees": _fallen_knees,
    "another way": _added_range,
    "detours": _detours,
    "halting": _halting,
    "pace": _pace,
}


def _known_angles(differences: Differences, values: Floats) -> Floats:
    """0 for an angle that is not spoken of, or whose joints are not seen in both."""
    known = [
        name in _SPOKEN_OF and all(differences.seen[INDEX[joint]] for joint in ends if joint in INDEX)
        for name, ends in ANGLES.items()
    ]
    return np.where(known, values, 0.0)


def _largest(values: Floats) -> list[tuple[int, str]]:
    names = list(ANGLES)
    return [(place, names[place]) for place in np.argsort(-values, kind="stable")[:_MOST_NAMED].tolist()]


def _ratio(patient: Floats, reference: Floats, seen: Floats) -> Floats:
    known = (seen > 0) & (reference > 0)
    return np.asarray(patient[known] / reference[known])


def _moving(differences: Differences) -> Floats:
    """(17,) how much each joint counts: as the reference moves it."""
    weights = np.sqrt(differences.reference.path) * differences.seen
    return np.asarray(weights / max(float(weights.sum()), 1e-9))


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
