"""What a patient's repetitions differ in from the reference's, in figures that have a unit (ours).

Each complete repetition is measured against the reference's repetition of middling length, as the classifier does, and
the figures are averaged: a set of three says the same of a habit as a set of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from appliance.errors import NotScorableError
from appliance.quality.of_set import middling_model, with_rest
from appliance.report.fluency import Fluency, fluency
from appliance.scoring.body import Body, Floats, body_of
from appliance.scoring.components import Model, measure
from appliance.scoring.extended import extended
from appliance.scoring.movement import Movement, movement_of
from appliance.scoring.repetitions import Span
from appliance.skeleton.standard import INDEX, Recording


@dataclass(frozen=True, slots=True)
class Differences:
    """contributions: to the extended dissimilarity, by component. reference, patient: what moved how, the patient's as
    the mean of the repetitions, and by the reference's sides where `mirrored`: the patient used the other ones.
    seen: (17,) joints that both show. fluency: the mean of the repetitions. knees: how near they come, of the reference
    and of the patient, as `_knees`. lasts_s: a repetition, of both, as it was found."""

    contributions: dict[str, float]
    reference: Movement
    patient: Movement
    seen: Floats
    mirrored: bool
    fluency: Fluency
    knees: tuple[float, float]
    lasts_s: tuple[float, float]


_Figures = TypeVar("_Figures", Movement, Fluency)
_LEG = ("hip", "knee", "ankle")
_FEET_APART = 0.1
"""Trunk lengths; of feet that stand nearer nothing is said of the knees."""


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
        contributions={
            name: float(np.mean([one.contributions[name] for one in found])) for name in found[0].contributions
        },
        reference=model.movement,
        patient=_mean([one.movement for one in found]),
        seen=np.min([one.seen for one in found], axis=0),
        mirrored=sum(one.mirrored for one in found) * 2 > len(found),
        fluency=_mean([one.fluency for one in found]),
        knees=(_knees(model.body), float(np.median([one.knees for one in found]))),
        lasts_s=(_lasting(shown), _lasting(done)),
    )


@dataclass(frozen=True, slots=True)
class _Done:
    """One repetition, as in `Differences`."""

    contributions: dict[str, float]
    movement: Movement
    seen: Floats
    mirrored: bool
    fluency: Fluency
    knees: float


def _one(model: Model, recording: Recording, span: Span, joints: tuple[str, ...]) -> _Done | None:
    try:
        body = body_of(with_rest(recording, span), joints)
    except NotScorableError:
        return None
    measured = measure(model, body)
    body = body.mirrored() if measured.mirrored else body
    seen = np.asarray(model.body.seen & body.seen, np.float64)
    return _Done(
        extended(measured).contributions,
        movement_of(body),
        seen,
        measured.mirrored,
        fluency(model.body, body),
        _knees(body),
    )


def _knees(body: Body) -> float:
    """The knees' least distance (3rd percentile) across the body, as a share of the ankles'; below 0 where they cross.

    NaN where a leg is not seen or the feet are not apart.
    """
    left, right = (body.about_pelvis[:, [INDEX[f"{side}_{of}"] for of in _LEG]] for side in ("left", "right"))
    if not body.seen[[INDEX[f"{side}_{of}"] for side in ("left", "right") for of in _LEG]].all():
        return float("nan")
    apart = left - right
    across = apart[:, 0] / np.linalg.norm(apart[:, 0], axis=1, keepdims=True)
    knees, ankles = (np.sum(apart[:, joint] * across, axis=1) for joint in (1, 2))
    if np.median(ankles) < _FEET_APART:
        return float("nan")
    return float(np.percentile(knees / np.maximum(ankles, _FEET_APART), 3))


def _lasting(spans: Sequence[Span]) -> float:
    return float(np.mean([span.end_s - span.start_s for span in spans]))


def _mean(of: list[_Figures]) -> _Figures:
    kind = type(of[0])
    return kind(*(np.mean([getattr(one, name) for one in of], axis=0) for name in kind.__slots__))
