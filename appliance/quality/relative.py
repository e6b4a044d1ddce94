"""One movement relative to its reference: what the quality classifier looks at, in training and on the box (ours).

Both halves come from one comparison. The sequence follows the reference through its phases, along HS-BTW's alignment,
so that a patient who is slow or pauses is still compared with the right moment. The vector holds what the alignment
takes out: how long, how far, how fast and in how many pieces. Nothing in it names an exercise, so that a movement
that was never trained on is described as well as any other. A patient who used the other side is taken as in a mirror,
as `appliance.scoring.components` does; and both are, where the reference moves mostly its right limbs, so that the
network meets every movement from the left only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.quality.along import COURSE, PARTS, along
from appliance.quality.along import TRAITS as OWN_TRAITS
from appliance.quality.course import TRAITS, course_of
from appliance.quality.unseen import as_seen, paired_frames, supplied
from appliance.scoring.body import (
    ANGLES,
    RATE_HZ,
    SEGMENTS,
    TILTS,
    Body,
    Floats,
    angles_between,
    angles_of,
    at_frames,
    directions_of,
    tilts_of,
)
from appliance.scoring.components import COMPONENTS, Model, measure, model_of
from appliance.scoring.distance import movement_weights
from appliance.scoring.match import Match, match
from appliance.scoring.movement import Movement, movement_of
from appliance.scoring.options import ScoringOptions
from appliance.skeleton.standard import JOINTS

PHASES = 64
"""Moments of the reference, evenly spaced from its first frame to its last."""
_ANGLE_DEG = 45.0
_SPREAD_PHASES = 2
"""Phases to either side over which the local tempo is taken: frame by frame it is mostly steps of the alignment."""
_SLOWEST, _FASTEST = 1.0 / 16.0, 16.0

_DIRECTIONS = tuple(f"{near}-{far}.{axis}" for near, far in SEGMENTS for axis in "xyz")
CHANNELS = (
    *(f"reference.{name}" for name in _DIRECTIONS),
    *(f"difference.{name}" for name in _DIRECTIONS),
    *(f"difference.{name}" for name in ANGLES),
    "log_tempo",
    *(f"{name}.{part}" for part in PARTS for name in COURSE),
)
"""Of the sequence: unit vectors along `SEGMENTS`, the patient's less the reference's; angles in units of 45 degrees,
less their mean; and, on the patient's own clock, how each part goes the reference's way."""

_TEMPO = CHANNELS.index("log_tempo")
_ANGLES = slice(_TEMPO - len(ANGLES), _TEMPO)
DIFFERENCES = slice(len(_DIRECTIONS), _TEMPO)
"""The channels that say how far the patient is from the reference."""

_BY_JOINT = {
    "reach": 0.05, "path": 0.05, "submovements": 2.0, "movement_s": 2.0 / RATE_HZ, "peak_speed": 0.05,
    "pelvis_path": 0.05,
}  # fmt: skip
"""What is compared joint by joint, and what is added to both before their ratio: sizes that are hardly above noise."""
_BINS = 8
"""Stretches of the reference for which the tempo is in the vector as well."""
_LOW, _HIGH = 10, 90
"""Percentiles, over the phases, of how far an angle is from the reference's."""
_RANGE_DEG = 3.0
_JERK = 1.0
_LEAST_SHOWN = 0.05
_STARTING = 6
"""Phases over which the starting position is taken."""
_SLOPES = ("with_effort", "midway", "out_not_back")
_SHOWN = ("duration", "path", "submovements", "movement_s", "peak_speed", "pelvis_path", "jerk")
GROUPS = {
    "components": COMPONENTS,
    "ratios": (
        "log_duration",
        "log_distance",
        *(f"angle_range.{name}" for name in ANGLES),
        *(f"tilt_range.{name}" for name in TILTS),
        *(f"{name}.{joint}" for name in _BY_JOINT for joint in JOINTS),
        *(f"jerk.{joint}" for joint in JOINTS),
    ),
    "courses": (
        *(f"{trait}.{name}" for trait in TRAITS for name in ANGLES),
        *(f"{end}.{name}" for end in ("least", "most") for name in (*ANGLES, *TILTS)),
        *(f"log_tempo.{stretch}" for stretch in range(_BINS)),
    ),
    "slopes": tuple(f"{slope}.{name}" for slope in _SLOPES for name in (*_DIRECTIONS, *ANGLES, *TILTS, "rise")),
    "parts": tuple(f"{trait}.{part}" for part in PARTS for trait in OWN_TRAITS),
    "shown": tuple(f"reference.{name}" for name in _SHOWN),
}
"""Of the vector: the components of the extended measure; logs of ratios, patient to reference; how the angles go; how
what is different grows with the movement, is there half way, and differs between way out and way back; how each part of
the body goes the reference's own way; and what the reference is like, so that the patient's own can be told as well."""
FEATURES = tuple(name for group in GROUPS.values() for name in group)


@dataclass(frozen=True, slots=True)
class Relative:
    """sequence: (PHASES, channels) float32, see `CHANNELS`; vector: (features,) float32, see `FEATURES`; all finite.
    swapped: what is left in them was the patient's right."""

    sequence: NDArray[np.float32]
    vector: NDArray[np.float32]
    swapped: bool


def relative(reference: Model, patient: Body) -> Relative:
    """Raises `NotScorableError` where the reference does not move or the two are too long to be aligned."""
    measured = measure(reference, patient)
    right = float(reference.movement.sidedness().sum()) < 0.0
    if right:
        reference = Model(reference.body.mirrored(), reference.movement.mirrored())
    swapped = measured.mirrored != right
    if swapped:
        patient = patient.mirrored()
    instructor = as_seen(reference.body)
    matched = match(instructor, as_seen(patient), movement_weights(instructor), ScoringOptions())
    frames = _patient_frames(matched, len(instructor), len(patient.about_pelvis))
    reference, patient = _completed(reference, patient, matched)
    sequence, tilts = _sequence(reference.body, patient, frames)
    sequence[:, _ANGLES] = _less_habit(sequence[:, _ANGLES])
    away = np.concatenate([sequence[:, _ANGLES], _less_habit(tilts)], axis=1)
    traits, course = along(reference.body, patient, PHASES)
    vector = [
        _vector(measured.values, reference, patient, matched),
        *_courses(reference.body, patient),
        *np.percentile(away, [_LOW, _HIGH], axis=0),
        sequence[:, _TEMPO].reshape(_BINS, -1).mean(axis=1),
        *_slopes(reference.body, patient, frames),
        traits,
        _shown(reference),
    ]
    sequence = np.concatenate([sequence, course], axis=1)
    return Relative(sequence.astype(np.float32), np.concatenate(vector).astype(np.float32), swapped)


def _completed(reference: Model, patient: Body, matched: Match) -> tuple[Model, Body]:
    """Both with the joints that only the other shows."""
    shown = reference.body
    of_patient, of_shown = paired_frames(matched, len(patient.about_pelvis), len(shown.about_pelvis))
    whole = supplied(shown, patient, of_shown)
    return reference if whole is shown else model_of(whole), supplied(patient, shown, of_patient)


def _patient_frames(matched: Match, instructor: int, patient: int) -> Floats:
    """(PHASES,) the patient's frame, fractional, at each phase of the reference."""
    first, places = np.unique(matched.instructor_frames, return_index=True)
    phases = np.linspace(0.0, instructor - 1.0, PHASES)
    return np.clip(np.interp(phases, first, matched.patient_frames[places]), 0.0, patient - 1.0)


def _sequence(reference: Body, patient: Body, frames: Floats) -> tuple[Floats, Floats]:
    """(PHASES, channels), and (PHASES, tilts) how the patient's differ, in units as the angles'."""
    phases = np.linspace(0.0, len(reference.about_pelvis) - 1.0, PHASES)
    shown, done = (
        directions_of(at_frames(body.about_pelvis, at)) for body, at in ((reference, phases), (patient, frames))
    )
    angles = (angles_between(done) - angles_between(shown)) / _ANGLE_DEG
    tilts = (tilts_of(done) - tilts_of(shown)) / _ANGLE_DEG
    steps = np.convolve(np.pad(np.diff(frames), _SPREAD_PHASES, "edge"), np.ones(2 * _SPREAD_PHASES) / 4.0, "valid")
    tempo = (len(reference.about_pelvis) - 1.0) / (PHASES - 1.0) / np.maximum(steps, 1e-9)
    log_tempo = np.log(np.clip(tempo, _SLOWEST, _FASTEST))[:, None]
    directions = (x.reshape(PHASES, -1) for x in (shown, done - shown))
    return np.concatenate([*directions, angles, log_tempo], axis=1), tilts


def _shown(reference: Model) -> Floats:
    """As `_SHOWN`, joints weighed by how much they move: logs, so that their sums with the ratios are the patient's."""
    movement = reference.movement
    weights = np.sqrt(movement.path) / max(float(np.sqrt(movement.path).sum()), 1e-6)
    by_joint = [getattr(movement, name) for name in _SHOWN[1:-1]]
    values = [float(values @ weights) for values in (*by_joint, _jerk(reference.body))]
    return np.asarray(np.log(np.array([len(reference.body.rise) / RATE_HZ, *values]) + _LEAST_SHOWN))


def _slopes(reference: Body, patient: Body, frames: Floats) -> list[Floats]:
    """By `_SLOPES`: what of each difference goes with the reference's effort, and what else is there on the way.

    Effort is how far the reference is from its start, 0 to 1. Least squares over the phases: noise that knows nothing
    of the movement has little part in it.
    """
    phases = np.linspace(0.0, len(reference.about_pelvis) - 1.0, PHASES)
    shown, done = (
        directions_of(at_frames(body.about_pelvis, at)) for body, at in ((reference, phases), (patient, frames))
    )
    rise, risen = (
        np.interp(at, np.arange(len(body.rise)), body.rise)[:, None]
        for body, at in ((reference, phases), (patient, frames))
    )
    differences = np.concatenate(
        [
            (done - shown).reshape(PHASES, -1),
            (angles_between(done) - angles_between(shown)) / _ANGLE_DEG,
            (tilts_of(done) - tilts_of(shown)) / _ANGLE_DEG,
            risen - rise,
        ],
        axis=1,
    )
    posture = np.concatenate([shown.reshape(PHASES, -1), rise], axis=1)
    far = np.linalg.norm(posture - np.median(posture[:_STARTING], axis=0), axis=1)
    effort = np.clip(far / max(float(np.percentile(far, 97)), 1e-6), 0.0, 1.0)
    midway = 4.0 * effort * (1.0 - effort)
    way = np.where(np.arange(PHASES) < effort.argmax(), 1.0, -1.0)
    ones = np.ones(PHASES)
    bases = ((ones, effort), (ones, effort, midway), (ones, effort, way * midway))
    return [np.linalg.lstsq(np.stack(basis, axis=1), differences, rcond=None)[0][-1] for basis in bases]


def _less_habit(differences: Floats) -> Floats:
    """Without what is held all along: that is how somebody stands, not how they move."""
    return np.asarray(differences - differences.mean(axis=0))


def _courses(reference: Body, patient: Body) -> list[Floats]:
    """By `TRAITS`: (angles,) log ratios."""
    shown, done = (course_of(angles_of(body.about_pelvis)) for body in (reference, patient))
    return [_log_ratio(done[name], shown[name], least) for name, least in TRAITS.items()]


def _vector(values: dict[str, float], reference: Model, patient: Body, matched: Match) -> Floats:
    shown, done = reference.movement, movement_of(patient)
    durations = (len(body.about_pelvis) for body in (patient, reference.body))
    return np.concatenate(
        [
            [values[name] for name in COMPONENTS],
            [np.subtract(*np.log([*durations])), np.log(matched.distances.mean() + 1e-3)],
            _log_ratio(done.angle_ranges, shown.angle_ranges, _RANGE_DEG),
            _log_ratio(done.tilt_ranges, shown.tilt_ranges, _RANGE_DEG),
            *(_by_joint(done, shown, name) for name in _BY_JOINT),
            _log_ratio(_jerk(patient), _jerk(reference.body), _JERK),
        ]
    )


def _by_joint(done: Movement, shown: Movement, name: str) -> Floats:
    return _log_ratio(getattr(done, name), getattr(shown, name), _BY_JOINT[name])


def _jerk(body: Body) -> Floats:
    """(17,) mean size of the third derivative about the thorax, shoulder widths / s^3."""
    if len(body.about_thorax) < 4:
        return np.zeros(len(JOINTS))
    return np.asarray(np.linalg.norm(np.diff(body.about_thorax, 3, axis=0), axis=2).mean(axis=0) * RATE_HZ**3)


def _log_ratio(done: Floats, shown: Floats, least: float) -> Floats:
    return np.asarray(np.log((done + least) / (shown + least)))
