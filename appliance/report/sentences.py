"""One sentence for each thing that a movement can differ in, in figures with a unit (ours).

A sentence says what was measured, never why or what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.report.differences import Differences
from appliance.report.fluency import LIMBS
from appliance.scoring.body import ANGLES, TILTS, Floats
from appliance.skeleton.standard import INDEX


@dataclass(frozen=True, slots=True)
class Least:
    """From where on something is said.

    range_share: of the reference's range, what is lost, by an angle whose range is this share (`leading`) of the
    largest. held_deg, added_deg: more range, of what the reference holds still and of what it moves. trunk_deg,
    head_deg: further leaning. longer, slower, quicker: ratios of ways and of times.
    """

    range_share: float
    leading: float
    held_deg: float
    added_deg: float
    trunk_deg: float
    head_deg: float
    longer: float
    slower: float
    quicker: float


CLEAR = Least(0.33, 0.75, 50.0, 40.0, 16.0, 8.0, 2.5, 1.75, 1.75)
"""Rare in correct recordings against another person's reference."""
SLIGHT = Least(0.15, 0.0, 10.0, 10.0, 8.0, 8.0, 1.3, 1.3, 1.33)
"""Somebody beside the patient could see it."""
_LEAST_DEG, _LEAST_PART = 10.0, 0.15
"""Of a range that is lost or added: degrees, and share of the reference's."""
_MORE_PUSHES, _TIMES_THE_PUSHES, _TREMBLING = 2.0, 2.0, 1.3
"""Pushes more and times as many; the logarithm of how many times as strong a tremor is."""
_MANY_TIMES = 10.0
"""More is a division by next to nothing."""
_THE_WAY = 0.9
"""Share of the longest way: a part of the body that the movement is about."""
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


def _lost_range(differences: Differences, least: Least) -> str | None:
    there = _known_angles(differences, differences.reference.angle_ranges)
    leading = there >= least.leading * there.max()
    named = _changed(differences, -1.0, "{name} {here:.0f}° of {there:.0f}°", leading, least.range_share * there)
    return f"Less range than in the reference: {listed(named)}." if named else None


def _added_range(differences: Differences, least: Least) -> str | None:
    still = differences.reference.angle_ranges < _HELD_DEG
    form = "{name} {here:.0f}° instead of {there:.0f}°"
    held, moved = (
        _changed(differences, 1.0, form, of, np.full(len(of), degrees))
        for of, degrees in ((still, least.held_deg), (~still, least.added_deg))
    )
    said = [f"Limbs move that the reference holds still: {listed(held)}."] if held else []
    said += [f"More range than in the reference: {listed(moved)}."] if moved else []
    return " ".join(said) or None


def _changed(differences: Differences, sign: float, form: str, of: NDArray[np.bool_], least: Floats) -> list[str]:
    """Of these angles, whose range is larger (sign 1) or smaller (-1) by `least` than the reference's, the largest.

    A hip bends further where the trunk leans further: that is said of the trunk.
    """
    here, there = differences.patient.angle_ranges, differences.reference.angle_ranges
    lean = differences.patient.tilt_ranges[_LEAN] - differences.reference.tilt_ranges[_LEAN]
    leaning = np.array([lean if name.endswith("_hip") and lean >= SLIGHT.trunk_deg else 0.0 for name in ANGLES])
    change = np.where(of, _known_angles(differences, sign * (here - there) - (leaning if sign > 0 else 0.0)), 0.0)
    least = np.maximum(least, np.maximum(_LEAST_DEG, _LEAST_PART * there))
    return [
        form.format(name=name.replace("_", " "), here=here[place], there=there[place])
        for place, name in _largest(change)
        if change[place] >= least[place]
    ]


def _fallen_knees(differences: Differences, _: Least) -> str | None:
    there, here = differences.knees
    bent = [differences.reference.angle_ranges[list(ANGLES).index(f"{side}_knee")] for side in ("left", "right")]
    if not there - here >= _KNEES_NEARER or min(bent) < _BENT_DEG:  # neither is said of what is not known
        return None
    ends = "cross" if here < 0.0 else f"come to {100 * here:.0f} % of the distance of the ankles"
    return f"The knees fall inwards: they {ends} (reference: {100 * there:.0f} %)."


def _compensation(differences: Differences, least: Least) -> str | None:
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
        if more[name] >= (least.head_deg if name.startswith("head") else least.trunk_deg)
    ]
    return f"Compensation: {listed(named)}." if named else None


def _detours(differences: Differences, least: Least) -> str | None:
    ratios = _ratio(differences.patient.path, differences.reference.path, differences.seen)
    ratio = float(np.median(ratios)) if len(ratios) else 1.0
    return (
        f"The joints travel {ratio:.1f} times as far as the reference's: swaying or detours."
        if ratio >= least.longer
        else None
    )


def _halting(differences: Differences, _: Least) -> str | None:
    """The worst of the parts of the body that the movement is about."""
    found = differences.fluency
    about = found.size >= _THE_WAY * found.size.max()
    more = np.where(about & (found.done >= _TIMES_THE_PUSHES * found.shown), found.done - found.shown, 0.0)
    tremor = np.where(about, found.tremor, 0.0)
    part, shaken = int(np.nan_to_num(more).argmax()), int(tremor.argmax())
    said = []
    if more[part] >= _MORE_PUSHES:
        pushes = f"{found.done[part]:.0f} pushes, the reference's in {found.shown[part]:.0f}"
        said.append(f"the {_part(part)} moves in {pushes}")
    if tremor[shaken] >= _TREMBLING:
        times = float(np.exp(tremor[shaken]))
        how_much = "more than 10 times" if times > _MANY_TIMES else f"{times:.0f} times"
        said.append(f"the {_part(shaken)} trembles {how_much} as much as the reference's")
    return f"Not fluent: {listed(said)}." if said else None


def _part(place: int) -> str:
    return LIMBS[place].replace("_", " ")


def _pace(differences: Differences, least: Least) -> str | None:
    """Where the repetitions' own length and the joints' times agree: either alone is misled by rests and small ways."""
    moving = _moving(differences)
    here, there = (float(one.movement_s @ moving) for one in (differences.patient, differences.reference))
    shown_s, done_s = differences.lasts_s
    if there <= 0.0 or shown_s <= 0.0 or abs(done_s - shown_s) < _SURELY_LONGER_S:
        return None
    ratios = (here / there, done_s / shown_s)
    if min(ratios) < least.slower and max(ratios) > 1.0 / least.quicker:
        return None
    word = "Slower" if min(ratios) >= least.slower else "Hurried"
    return f"{word}: a repetition takes {done_s:.1f} s, the reference's {shown_s:.1f} s."


SENTENCES: dict[str, Callable[[Differences, Least], str | None]] = {
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


def listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
