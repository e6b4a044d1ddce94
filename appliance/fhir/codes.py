"""Codes for what a result holds: public ones where there are, and the box's own code systems for the rest."""

from __future__ import annotations

from typing import Literal

from appliance.exercises import Exercise, Motion
from appliance.fhir.elements import CodeableConcept, CodeSystem, Coding, Concept
from appliance.messages.model import SCHEMA_VERSION
from appliance.messages.prescription import Side
from appliance.messages.session import Effort
from appliance.scoring.body import ANGLES

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
MEASURES, EXERCISES = "urn:rehabbox:fhir:measure", "urn:rehabbox:fhir:exercise"
ANSWERS = "urn:rehabbox:fhir:answer"

SURVEY = Coding(system=f"{TERMINOLOGY}/observation-category", code="survey", display="Survey")
THERAPY = Coding(system=f"{TERMINOLOGY}/observation-category", code="therapy", display="Therapy")
EXERCISE_THERAPY = Coding(system=SNOMED, code="229065009", display="Exercise therapy")
TEST_DATA = Coding(system=f"{TERMINOLOGY}/v3-ActReason", code="HTEST", display="test health data")
DURATION = Coding(system=LOINC, code="55411-3", display="Exercise duration")

HS_BTW = Coding(system=MEASURES, code="hs-btw", display="Human Skeleton-Based Balanced Time Warping")
SIDES: dict[Side, Coding] = {
    "left": Coding(system=SNOMED, code="7771000", display="Left"),
    "right": Coding(system=SNOMED, code="24028007", display="Right"),
    "both": Coding(system=SNOMED, code="51440002", display="Right and left"),
}

PAIN = Coding(system=SNOMED, code="22253000", display="Pain")
EFFORTS: dict[Effort, Coding] = {
    "easy": Coding(system=ANSWERS, code="easy", display="Easy"),
    "right": Coding(system=ANSWERS, code="right", display="Just right"),
    "hard": Coding(system=ANSWERS, code="hard", display="Hard"),
}
"""What can be answered; the scales of exertion with a public code have numbers, for which nobody was asked."""

Absence = Literal["not-performed", "unknown"]
_ABSENT: dict[Absence, str] = {"not-performed": "Not Performed", "unknown": "Unknown"}

_RANGES: dict[tuple[str, Motion], tuple[str, str]] = {
    ("left_shoulder", "flexion"): ("41295-7", "Shoulder - left Flexion Active Range of Motion Quantitative"),
    ("right_shoulder", "flexion"): ("41307-0", "Shoulder - right Flexion Active Range of Motion Quantitative"),
    ("left_shoulder", "abduction"): ("41299-9", "Shoulder - left Abduction Active Range of Motion Quantitative"),
    ("right_shoulder", "abduction"): ("41381-5", "Shoulder Abduction Active Range of Motion Quantitative"),
    ("right_elbow", "flexion"): ("41355-9", "Elbow - right Flexion Active Range of Motion Quantitative"),
    ("left_knee", "flexion"): ("41343-5", "Knee - left Flexion Active Range of Motion Quantitative"),
    ("right_knee", "flexion"): ("41347-6", "Knee - right Flexion Active Range of Motion Quantitative"),
}
"""LOINC's codes for the active range of a joint, as far as they could be checked in what others have published: none
for the left elbow and the hips. Abduction of the right shoulder has the code that names no side; the local one does."""

_JOINTS = ("trunk", "neck", "shoulder", "elbow", "hip", "knee")
_ANGLES = tuple(name for name in ANGLES if name.rpartition("_")[2] in _JOINTS)
"""Angles that are a joint's: the others are a segment's towards the floor."""

_MEASURES: dict[str, tuple[str, str]] = {
    "hs-btw": (HS_BTW.display or "", "The method: the patient's movement aligned with the instructor's and compared."),
    "side": ("Side", "The side that moved: left, right or both."),
    "repetitions-complete": ("Complete repetitions", "Repetitions that were done from rest to rest."),
    "repetitions-seen": ("Repetitions begun", "All repetitions that were seen, also those that were broken off."),
    "pose-dissimilarity": ("Pose dissimilarity", "D_P of HS-BTW: 0 is the instructor's pose."),
    "dynamics-dissimilarity": ("Dynamics dissimilarity", "D_T of HS-BTW: negative where the patient moved more."),
    "dissimilarity": ("Dissimilarity", "D of HS-BTW: pose and dynamics, weighed by the calibration."),
    "tempo-ratio": ("Tempo ratio", "The patient's duration over the instructor's."),
    "movement-quality": ("Movement quality", "The classifier's probability that it was done correctly, 0 to 1."),
    "fine-rehab-score": ("FineRehab score", "0 worst to 4 best: body parts and dimensions, weighed."),
    "fine-rehab-completeness": ("FineRehab completeness", "0 worst to 4 best: range of the joints that are to move."),
    "fine-rehab-correction": ("FineRehab correction", "0 worst to 4 best: freedom from compensation."),
    "fine-rehab-smoothness": ("FineRehab smoothness", "0 worst to 4 best: freedom from lag and jitter."),
    "answers": ("Answers after a session", "What the patient answered by a raised hand or a button after the session."),
    "pain": ("Pain", "Whether it hurt, as the patient answered: yes or no."),
    "effort": ("Effort", "How hard it was, as the patient answered: easy, just right or hard."),
    "joints-seen": ("Joints seen", "Share of the exercise's joints, over all frames, that were seen, 0 to 1."),
    **{
        f"range-{name.replace('_', '-')}": (
            f"Range of {name.replace('_', ' ')}",
            "Degrees between the 3rd and the 97th percentile of the joint's angle during the exercise.",
        )
        for name in _ANGLES
    },
}  # fmt: skip


def measure(code: str) -> CodeableConcept:
    """One of the box's own measures."""
    return CodeableConcept(coding=(Coding(system=MEASURES, code=code, display=_MEASURES[code][0]),))


def joint_range(angle: str, side: Side, exercise: Exercise | None) -> CodeableConcept | None:
    """Of an angle by its name in `Score.angle_ranges`; None for one that is no joint's.

    With LOINC's code where the joint is on the side that works and the exercise says which way it moves: what the other
    side's does meanwhile is not its active range.
    """
    if angle not in _ANGLES:
        return None
    local = measure(f"range-{angle.replace('_', '-')}")
    its_side, _, joint = angle.rpartition("_")
    motions = exercise.motions if exercise is not None and side in (its_side, "both") else {}
    for (one, motion), (code, display) in _RANGES.items():
        if one == angle and (joint, motion) in motions.items():
            return CodeableConcept(coding=(*local.coding, Coding(system=LOINC, code=code, display=display)))
    return local


def exercise_code(exercise_id: str, exercise: Exercise | None) -> CodeableConcept:
    """exercise: what is known of it, if anything still is."""
    name = exercise.name if exercise else None
    return CodeableConcept(
        coding=(Coding(system=EXERCISES, code=exercise_id, display=name), EXERCISE_THERAPY), text=name or exercise_id
    )


def absent(why: Absence, text: str) -> CodeableConcept:
    coding = Coding(system=f"{TERMINOLOGY}/data-absent-reason", code=why, display=_ABSENT[why])
    return CodeableConcept(coding=(coding,), text=text)


def code_systems(exercises: dict[str, Exercise]) -> tuple[CodeSystem, ...]:
    """The box's own, as FHIR resources."""
    measures = tuple(Concept(code=code, display=name, definition=text) for code, (name, text) in _MEASURES.items())
    answers = tuple(
        Concept(code=one.code, display=one.display or "", definition=f"The effort was: {one.display}.")
        for one in EFFORTS.values()
    )
    known = tuple(Concept(code=one.id, display=one.name, definition=one.source) for one in exercises.values())
    return (
        CodeSystem(
            id="rehabbox-measure", url=MEASURES, version=SCHEMA_VERSION, name="RehabBoxMeasure",
            title="What RehabBox measures of an exercise",
            description="What an Observation holds and no public code system has a code for.",
            content="complete", count=len(measures), concept=measures,
        ),
        CodeSystem(
            id="rehabbox-answer", url=ANSWERS, version=SCHEMA_VERSION, name="RehabBoxAnswer",
            title="How hard a session was", description="What a patient can answer when asked for the effort.",
            content="complete", count=len(answers), concept=answers,
        ),
        CodeSystem(
            id="rehabbox-exercise", url=EXERCISES, version=SCHEMA_VERSION, name="RehabBoxExercise",
            title="The exercises of RehabBox",
            description="Exercises by the id that prescriptions use. A hospital's own exercises have codes as well.",
            content="fragment", count=len(known), concept=known,
        ),
    )  # fmt: skip
