"""What costs most, in words and in figures with a unit, the dearest first (ours).

What is said is decided by sizes: a finding is beyond what correct recordings show against another person's reference
(docs/report.md has how often they do), a lesser difference is one that somebody beside the patient could still see. In
which order, by what each adds to the extended dissimilarity (docs/scoring.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.report.differences import Differences
from appliance.report.sentences import CLEAR, SENTENCES, SLIGHT, Least, listed
from appliance.segmentation.repetitions import Repetition

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
_LONGER_WAYS = ("compensation", "another way", "knees", "halting")
"""Where one of these is named, it is the longer way."""


@dataclass(frozen=True, slots=True)
class Finding:
    """cost: what its topic adds to the extended dissimilarity, 0 where that does not know it. clear: rare in correct
    recordings; otherwise they show as much."""

    topic: str
    sentence: str
    cost: float
    clear: bool = True


def findings(differences: Differences | None, repetitions: Sequence[Repetition]) -> list[Finding]:
    """Repetitions that were not complete come first, then the dearest, the lesser differences last; empty where nothing
    stands out."""
    found = _incomplete(repetitions)
    if differences is None:
        return found
    if differences.mirrored:
        found.append(Finding("side", "The other side was used than in the reference; compared in the mirror.", 0.0))
    measured = {topic: one for topic in _TOPICS if (one := _finding(topic, differences, CLEAR)) is not None}
    slight = {topic: one for topic in _TOPICS if (one := _finding(topic, differences, SLIGHT)) is not None}
    measured = slight | measured
    if any(measured.get(topic) for topic in _LONGER_WAYS):
        measured.pop("detours", None)
    return found + sorted(measured.values(), key=lambda one: (not one.clear, -one.cost))


def _finding(topic: str, differences: Differences, least: Least) -> Finding | None:
    sentence = SENTENCES[topic](differences, least)
    if sentence is None:
        return None
    cost = sum(max(differences.contributions[name], 0.0) for name in _TOPICS[topic])
    return Finding(topic, sentence, cost, least is CLEAR)


def _incomplete(repetitions: Sequence[Repetition]) -> list[Finding]:
    numbers = [str(number) for number, one in enumerate(repetitions, 1) if not one.complete]
    if not numbers:
        return []
    which = f"Repetition {numbers[0]} was" if len(numbers) == 1 else f"Repetitions {listed(numbers)} were"
    what = f"{which} not complete, of {len(repetitions)} begun: the way there or back was not seen to its end."
    return [Finding("repetitions", what, 0.0)]
