"""Exercises are data: `config/exercises/*.toml`, one file a movement. A hospital adds its own without code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from appliance.config_folder import config_dir
from appliance.errors import SettingsError, UnknownExerciseError
from appliance.messages.motion_limits import checked_limits
from appliance.quality.parts import PART_JOINTS
from appliance.quality.weights import Side, Weights
from appliance.skeleton.standard import JOINTS
from appliance.toml_text import TomlError, read_toml

Root = Literal["pelvis", "thorax", "start"]
Position = Literal["supine", "seated", "standing"]
Joint = Literal["shoulder", "elbow", "hip", "knee"]
Motion = Literal["flexion", "abduction"]


class Exercise(BaseModel):
    """One movement: what scoring needs to know of it, and what a therapist reads."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
    """As in topics and prescriptions."""
    number: Annotated[int, Field(ge=1)] | None = None
    """FineRehab's movement number, where it has one."""
    name: str
    source: str
    """Where the movement comes from: FineRehab where it is stated there, else "ours" with the reason."""
    position: Position
    root: Root = "pelvis"
    sides: Annotated[tuple[Side, ...], Field(min_length=1)] = ("left", "right", "both")
    """Sides it can be prescribed for: a squat is done with both, nobody stands on neither leg."""
    joints: tuple[str, ...] = JOINTS
    """Joints that enter the distance; default all seventeen."""
    motions: dict[Joint, Motion] = {}
    """Which way the joints of the side that works move, where the exercise is for their range."""
    limits: dict[str, float] = {}
    """How far joints may go, for every patient: names of `LIMITS`. A prescription may only be stricter."""
    assessment: Weights | None = None
    """FineRehab's weights; without them the exercise is scored by HS-BTW alone."""

    @field_validator("joints")
    @classmethod
    def _known(cls, joints: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in joints if name not in JOINTS]
        if unknown or not joints:
            raise ValueError(f"unknown joint {unknown[0]!r}" if unknown else "at least one joint is needed")
        return joints

    @field_validator("limits")
    @classmethod
    def _known_limits(cls, limits: dict[str, float]) -> dict[str, float]:
        return dict(checked_limits(limits) or {})

    @field_validator("assessment")
    @classmethod
    def _fits(cls, weights: Weights | None, info: ValidationInfo) -> Weights | None:
        """The weights name the parts as the movement's sides do, and none that the box does not look at."""
        if weights is None or not {"sides", "joints"} <= info.data.keys():
            return weights
        sides, joints = info.data["sides"], info.data["joints"]
        both_only = sides == ("both",)
        if weights.body_parts.by_work if both_only else weights.body_parts.by_side:
            wanted = "left_ and right_" if both_only else "working_ and other_"
            raise ValueError(f"body_parts: with sides {', '.join(sides)}, limbs are named {wanted}, and only so")
        for side in sides:
            for part, its_joints in PART_JOINTS.items():
                if weights.body_parts.of(part, side) and not set(its_joints) & set(joints):
                    raise ValueError(f"body_parts: {part} counts with side {side}, but none of its joints is in joints")
        return weights


@cache
def load_exercises(folder: Path | None = None) -> dict[str, Exercise]:
    """All exercises by id. Raises `SettingsError` naming file and key."""
    folder = folder or config_dir() / "exercises"
    exercises: dict[str, Exercise] = {}
    for file in sorted(folder.glob("*.toml")):
        try:
            exercise = Exercise.model_validate(read_toml(file.read_bytes()))
        except TomlError as error:
            raise SettingsError(f"{file}: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise SettingsError(f"{file}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        if exercise.id in exercises:
            raise SettingsError(f"{file}: the id {exercise.id!r} is taken by another file")
        exercises[exercise.id] = exercise
    if not exercises:
        raise SettingsError(f"{folder}: no exercise files (*.toml) here; set REHABBOX_CONFIG to the config folder")
    return exercises


def exercise_by_id(exercise_id: str) -> Exercise:
    """Raises `UnknownExerciseError` with the ids there are."""
    exercises = load_exercises()
    if exercise_id not in exercises:
        raise UnknownExerciseError(f"no exercise {exercise_id!r}; there are {', '.join(sorted(exercises))}")
    return exercises[exercise_id]


def weights_version(exercises: Mapping[str, Exercise]) -> str | None:
    """One name for FineRehab's weights in all of them: `sha256:...` over ids and versions; None where none has any."""
    weighed = sorted((name, exercise.assessment.version) for name, exercise in exercises.items() if exercise.assessment)
    lines = "".join(f"{name} {version}\n" for name, version in weighed)
    return "sha256:" + sha256(lines.encode()).hexdigest() if weighed else None
