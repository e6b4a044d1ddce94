"""What a patient's repetitions differ in from the reference's, in figures that have a unit (ours).

Each complete repetition is measured against the reference's repetition of middling length, as the classifier does, and
the figures are averaged: a set of three says the same of a habit as a set of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from appliance.errors import NotScorableError
from appliance.quality.of_set import middling_model, with_rest
from appliance.scoring.body import Floats, body_of
from appliance.scoring.components import Model, measure
from appliance.scoring.extended import extended
from appliance.scoring.movement import Movement, movement_of
from appliance.scoring.repetitions import Span
from appliance.skeleton.standard import Recording


@dataclass(frozen=True, slots=True)
class Differences:
    """contributions: to the extended dissimilarity, by component. reference, patient: what moved how, the patient's as
    the mean of the repetitions, and by the reference's sides where `mirrored`: the patient used the other ones.
    seen: (17,) joints that both show."""

    contributions: dict[str, float]
    reference: Movement
    patient: Movement
    seen: Floats
    mirrored: bool


def differences(
    reference: Recording, shown: Sequence[Span], recording: Recording, done: Sequence[Span], joints: tuple[str, ...]
) -> Differences | None:
    """None where no repetition can be placed for it."""
    try:
        model = middling_model(reference, shown, joints)
    except NotScorableError:
        return None
    found = [one for span in done if (one := _one(model, recording, span, joints)) is not None]
    if not found:
        return None
    return Differences(
        contributions={name: float(np.mean([one[0][name] for one in found])) for name in found[0][0]},
        reference=model.movement,
        patient=_mean([one[1] for one in found]),
        seen=np.min([one[2] for one in found], axis=0),
        mirrored=sum(one[3] for one in found) * 2 > len(found),
    )


def _one(
    model: Model, recording: Recording, span: Span, joints: tuple[str, ...]
) -> tuple[dict[str, float], Movement, Floats, bool] | None:
    try:
        body = body_of(with_rest(recording, span), joints)
    except NotScorableError:
        return None
    measured = measure(model, body)
    body = body.mirrored() if measured.mirrored else body
    seen = np.asarray(model.body.seen & body.seen, np.float64)
    return extended(measured).contributions, movement_of(body), seen, measured.mirrored


def _mean(movements: list[Movement]) -> Movement:
    return Movement(*(np.mean([getattr(one, name) for one in movements], axis=0) for name in Movement.__slots__))
