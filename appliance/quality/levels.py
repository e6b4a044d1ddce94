"""From a score to one of the five levels, by the stored distribution of scores in the same movement.

FineRehab's: that levels come from the distribution of scores, and their names. Ours: that each level is a fifth of the
movement's scores. How the paper cuts is not at hand; fifths need no assumption on the distribution's shape, and by
chance a level is then right one time in five. Grades are whole numbers, so that many scores are equal: these are never
parted, and a bound lies midway between two scores that differ, where a small error of a model's moves no level.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from appliance.errors import SettingsError
from appliance.messages.model import Digest
from appliance.quality.parts import BEST, LEVELS, Level
from appliance.quality.score import FineRehabScore
from appliance.recording.disk import write_whole

FEWEST = 25
"""Scores of a movement, five for each level; fewer say little of where a fifth ends (ours)."""

_SHARES = tuple(index / len(LEVELS) for index in range(1, len(LEVELS)))
_Bound = Annotated[float, Field(ge=0, le=BEST)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Fifths(_Model):
    """One movement's. bounds: below the scores at 20, 40, 60 and 80 %. scores: how many. weights: their version."""

    bounds: tuple[_Bound, _Bound, _Bound, _Bound]
    scores: Annotated[int, Field(ge=FEWEST)]
    weights: Digest

    @field_validator("bounds")
    @classmethod
    def _rise(cls, bounds: tuple[float, ...]) -> tuple[float, ...]:
        if list(bounds) != sorted(bounds):
            raise ValueError("the bounds must not fall")
        return bounds


class Distribution(_Model):
    """The file. origin: what data the scores are of, and who graded it. movements: by the exercise's id."""

    version: Literal[1] = 1
    origin: Annotated[str, Field(min_length=1)]
    movements: dict[str, Fifths]


@dataclass(frozen=True, slots=True)
class Placing:
    """level, or the reason why there is none; exactly one of them."""

    level: Level | None
    no_level: str | None


def place(
    score: FineRehabScore, exercise: str, distribution: Distribution | None, unusable: str | None = None
) -> Placing:
    """A score at a bound has the level above it, so that the best score of all is always `good`.

    unusable: why there is no distribution although one is installed.
    """
    if distribution is None:
        return Placing(None, f"no level: {unusable or 'no distribution of scores is installed'}")
    fifths = distribution.movements.get(exercise)
    if fifths is None:
        return Placing(None, f"no level: the distribution of scores does not hold {exercise}")
    if fifths.weights != score.weights:
        return Placing(None, f"no level: the distribution of scores was made with other weights for {exercise}")
    return Placing(LEVELS[int(np.searchsorted(fifths.bounds, score.value, side="right"))], None)


def distribution_of(scores: Mapping[str, Sequence[FineRehabScore]], origin: str) -> Distribution:
    """scores: by the exercise's id; see `Distribution` for origin.

    Raises `SettingsError` where a movement has too few scores, or its scores were weighed in different ways.
    """
    return Distribution(origin=origin, movements={name: _fifths(name, its) for name, its in scores.items()})


def _fifths(exercise: str, scores: Sequence[FineRehabScore]) -> Fifths:
    if len(scores) < FEWEST:
        raise SettingsError(f"{exercise}: {len(scores)} scores are too few for five levels; {FEWEST} are needed")
    versions = {score.weights for score in scores}
    if len(versions) > 1:
        raise SettingsError(f"{exercise}: its scores were made with {len(versions)} versions of the weights; use one")
    values = np.unique([score.value for score in scores])
    above = np.searchsorted(values, np.quantile([score.value for score in scores], _SHARES, method="higher"))
    first, second, third, fourth = ((values[np.maximum(above - 1, 0)] + values[above]) / 2).tolist()
    return Fifths(bounds=(first, second, third, fourth), scores=len(scores), weights=versions.pop())


def write_distribution(path: Path, distribution: Distribution) -> None:
    """Whole or not at all. Raises `RecordingError` where the disk refuses."""
    write_whole(path, (distribution.model_dump_json(indent=1) + "\n").encode())


def read_distribution(path: Path) -> tuple[Distribution, str]:
    """The distribution and the file's digest, as results name it. Raises `SettingsError` that names file and key."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; levels need a distribution of scores") from None
    try:
        return Distribution.model_validate(json.loads(data)), "sha256:" + sha256(data).hexdigest()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise SettingsError(f"{path}: is not a distribution of scores: {where}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{path}: is not a distribution of scores: not JSON") from None
