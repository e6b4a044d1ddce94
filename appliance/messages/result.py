"""`result/<exercise>`: what came of one exercise, with everything needed to judge how far to trust it."""

from __future__ import annotations

import json
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from appliance.messages.model import Count, Digest, Finite, Message, Name, Number, Share, Subject, Told, Utc
from appliance.messages.prescription import Side
from appliance.quality.parts import BodyPart, Dimension, Level
from hal.types import Gravity

Outcome = Literal["scored", "not_scored", "abandoned"]
Status = Literal[Outcome, "withdrawn"]
Grade = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]
"""0 worst to 4 best."""


class Repetition(Message):
    """One repetition, in seconds from the start of the recording."""

    start_s: Finite
    """When the body left rest."""
    reverse_s: Number
    """The turning point between initiation and reverse phase; null where it was not reached."""
    end_s: Finite
    """When the body was at rest again, or the recording ended."""
    complete: bool
    """False where the repetition was broken off or cut by the recording's bounds."""
    pose_dissimilarity: Number
    """D_P against the reference's nearest repetition; null where it could not be scored."""
    dynamics_dissimilarity: Number
    """D_T against the reference's nearest repetition; null where it could not be scored."""


class Score(Message):
    """HS-BTW of the whole recording against the whole reference; every number null where it was not scored."""

    pose_dissimilarity: Number = None
    """D_P: mean minus smallest distance along the path; 0 is the instructor's pose."""
    dynamics_dissimilarity: Number = None
    """D_T: the instructor's intensity minus the patient's; negative where the patient moved more."""
    dissimilarity: Number = None
    """D: both, weighed by the calibration; null without one."""
    phi_deg: Number = None
    """The calibration's angle, degrees; null without one."""
    intensity: Number = None
    """Mean distance between the patient's consecutive frames."""
    intensity_reference: Number = None
    """The same of the reference."""
    mean_distance: Number = None
    """Mean distance along the path."""
    min_distance: Number = None
    """Smallest distance along the path: what differing bodies cost."""
    pairs: Count | None = None
    """Pairs of frames in the path."""
    cost: Number = None
    """What the alignment minimised."""
    mean_lag_s: Number = None
    """Mean time by which the patient is behind, s; negative: ahead."""
    lag_spread_s: Number = None
    """Standard deviation of that, s."""
    tempo_ratio: Number = None
    """The patient's duration over the instructor's."""
    joints: dict[str, Number] = Field(default_factory=dict)
    """Each joint's share of the weighted squared difference."""
    dissimilarity_extended: Number = None
    """The extended measure (this project's own): the sum of `extended`; needs no common pace."""
    extended: dict[str, Number] = Field(default_factory=dict)
    """What each component adds to it: range of motion, compensation, tempo and so on."""
    extended_joints: dict[str, Number] = Field(default_factory=dict)
    """The joints that this comes from."""
    mirrored: bool | None = None
    """True where the extended measure took the movement as done with the other side; null where it was not computed."""
    joint_distances: dict[str, Number] = Field(default_factory=dict)
    """Mean distance of each joint from the reference's along the path, in body units, not weighted."""
    angle_ranges: dict[str, Number] = Field(default_factory=dict)
    """Range of each joint angle, degrees."""
    angle_ranges_reference: dict[str, Number] = Field(default_factory=dict)
    """The same of the reference."""
    inter_limb: dict[str, dict[str, Number]] = Field(default_factory=dict)
    """Left from right in the mirror by joint: `distance`, trunk lengths; the `reference`'s; the `ratio` of the two."""
    noise_floor: dict[str, Number] = Field(default_factory=dict)
    """By score, what the repetitions of the reference itself differ by; empty where it holds fewer than two."""
    within_noise: tuple[str, ...] = ()
    """The scores that are no larger than that: within the instructor's own variation, they say nothing on their own."""
    notes: tuple[str, ...] = ()
    """What a reader must know of this comparison, e.g. that no yaw could be found."""


class RepetitionQuality(Message):
    """The classifier's view of one complete repetition."""

    quality: Finite = Field(ge=0, le=1)
    """Calibrated probability that it was done correctly."""
    level: int = Field(ge=0, le=4)
    """0 best to 4 worst."""
    movement: str
    """The exercise's id as the classifier recognises it; `as reference` for one that it has no name for; `other` where
    it is not the reference's movement; `not sure` where it is unlike all that was trained on."""


class Quality(RepetitionQuality):
    """The classifier's view of a set: mean quality and middle level of its complete repetitions, and what most are."""

    sure: bool
    """False where the classifier knows little of most repetitions: its figures then mean little."""
    repetitions: tuple[RepetitionQuality, ...]
    """In order of time."""


class FineRehab(Message):
    """FineRehab's assessment (CVPRW 2024): grades weighed into a score from 0 to 4, and its level."""

    score: Grade
    """The sum of the dimensions' weights times each dimension's own score."""
    dimensions: dict[Dimension, Grade]
    """Each dimension's own score: the sum of the body parts' weights times their grades."""
    grades: dict[Dimension, dict[BodyPart, Grade | None]]
    """By dimension and part of the body; null where there is none."""
    level: Level | None
    """Where the score stands among the stored scores of the same movement."""
    no_level: str | None
    """Why there is no level; null exactly where there is one."""

    @model_validator(mode="after")
    def _level_or_reason(self) -> Self:
        if (self.level is None) != bool(self.no_level):
            raise ValueError("an assessment without a level needs a reason, and one with a level has none")
        return self


class DataQuality(Message):
    """How good the data was that the scores come from."""

    frames: Count
    """Frames recorded, of all cameras."""
    lost: Count
    """Frames the devices counted that never arrived."""
    joints_seen: Share
    """Share of the joint-frames, over the exercise's joints, in which the joint was seen."""
    sync_error_ms: Number
    """Estimated error between camera and sensors, ms; null for one device alone, and where it cannot be told."""
    kept: Share = None
    """Share of the camera's frames at whose instant the sensors' motion is known; null where no sensor was worn."""
    filled: Share
    """Share of the joint-frames that were interpolated over a short gap, or came from the worn sensors."""
    gravity: Gravity | None
    """What "up" follows: the camera's accelerometer, or merely the camera's own up."""


class Versions(Message):
    """What produced the result."""

    software: str
    """Version of the box's software."""
    reference: Digest
    """Digest of the reference recording."""
    model: str | None = None
    """Name and version of the quality classifier; null where none took part."""
    weights: str | None = None
    """SHA-256 of the exercise's FineRehab weights; null where none took part."""
    levels: Digest | None = None
    """Digest of the distribution of scores that the level comes from; null where none took part."""
    calibration: Digest | None = None
    """Digest of the calibration file; null where none took part."""
    drivers: dict[str, str] = Field(default_factory=dict)
    """Driver by kind of device."""


class Correction(Message):
    """What a therapist said of a result. What was measured stays as it was; this stands beside it."""

    replaces: UUID
    """Id of the result as it was measured. Of several corrections the one with the highest `sequence` counts."""
    action: Literal["withdrawn", "amended"]
    """`withdrawn`: it was an error and counts no more. `amended`: it counts, with what is said here."""
    by: str
    """Who decided that, by the hospital's own identifier."""
    at: Utc
    """When the box was told."""
    reason: str
    """Why."""
    repetitions: Count | None
    """Complete repetitions by the therapist's count; null where nothing was said of them."""
    score: Grade | None
    """FineRehab's score by the therapist; null where nothing was said of it."""


class Result(Message):
    """One exercise of one session."""

    id: UUID
    """Names this result. It may arrive twice: keep the ids, drop the copy."""
    sequence: int = Field(ge=1)
    """Counts the box's results over its life without a hole. Arrival order is not promised: order by this."""
    box: str
    """The box's id."""
    session: UUID
    """The session it belongs to."""
    prescription: UUID
    """The prescription that was followed."""
    subject: Subject
    """The patient, by the hospital's own identifier."""
    exercise: Name
    """The exercise's id."""
    side: Side
    """The side that moved."""
    started: Utc
    """When recording began."""
    ended: Utc
    """When recording ended."""
    status: Status
    """`not_scored`: done, but the data allowed no score. `abandoned`: broken off. `withdrawn`: see `correction`."""
    reason: Told | None
    """Why there is no score; null exactly where there is one."""
    paced: bool
    """Whether the patient was to follow the reference's tempo."""
    historical: bool
    """True where it waited on the box: for a connection, over a restart, or because the broker refused it at first."""
    repetitions: tuple[Repetition, ...]
    """In order of time."""
    score: Score
    """HS-BTW of the whole set; all null where there is no score."""
    quality: Quality | None
    """The classifier's view; null where none took part."""
    fine_rehab: FineRehab | None
    """FineRehab's dimensions and score; null where they were not computed."""
    symmetry: dict[str, Number]
    """Left/right asymmetry by measure; empty where it does not apply."""
    data_quality: DataQuality
    """How good the data was."""
    versions: Versions
    """What produced the result."""
    synthetic: bool
    """True where the input was made up or replayed, not a person in front of the box."""
    correction: Correction | None = None
    """Where a therapist set an earlier result right, this one takes its place; null for one as it was measured."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        scored = self.status == "scored"
        if scored == bool(self.reason):
            raise ValueError("a result without a score needs a reason, and one with a score has none")
        if scored != (self.score.pose_dissimilarity is not None):
            raise ValueError(f"a result that is {self.status!r} cannot have this score")
        if self.quality and not self.versions.model:
            raise ValueError("a quality needs the version of the model that it comes from")
        if self.fine_rehab and not self.versions.weights:
            raise ValueError("a FineRehab score needs the version of its weights")
        if self.fine_rehab and self.fine_rehab.level and not self.versions.levels:
            raise ValueError("a level needs the digest of the distribution of scores it comes from")
        if (self.status == "withdrawn") != (self.correction is not None and self.correction.action == "withdrawn"):
            raise ValueError("a withdrawn result says who withdrew it, and no other does")
        if self.ended < self.started:
            raise ValueError("ended is before started")
        return self


def as_historical(payload: bytes) -> bytes:
    """The payload of a result that waited, marked so; anything else as it is."""
    document = json.loads(payload)
    if not isinstance(document, dict) or document.get("historical") is not False:
        return payload
    return json.dumps(document | {"historical": True}, ensure_ascii=False, separators=(",", ":")).encode()
