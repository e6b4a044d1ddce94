"""The calibration file: what `rehabbox calibrate` writes, and `score` and the daemon read."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from appliance.errors import SettingsError


class Fold(BaseModel):
    """persons: those held out. phi_deg: best on the others. spearman: on those held out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phi_deg: Annotated[int, Field(ge=0, le=90)]
    spearman: float
    persons: tuple[str, ...]


class Source(BaseModel):
    """The data a calibration came from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest: str
    """SHA-256 of the manifest's bytes."""
    recordings: str
    """SHA-256 over all recordings and references that were used, in the manifest's order."""
    rows: int
    """Points that were used."""
    failed: int
    """Rows that could not be scored."""
    persons: int
    exercises: int
    software: str


class Calibration(BaseModel):
    """phi_deg: the angle. scales: by exercise, the median length of its points (D_P, 10 D_T), for a plane that holds
    several exercises. spearman: at phi_deg, averaged over (exercise, person, position)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    phi_deg: Annotated[float, Field(ge=0, le=90)]
    scales: dict[str, Annotated[float, Field(gt=0)]]
    spearman: Annotated[float, Field(ge=-1, le=1)]
    folds: tuple[Fold, ...]
    source: Source


@cache
def read_calibration(path: Path) -> tuple[Calibration, str]:
    """The calibration and the file's digest, as results name it; read once in a process.

    Raises `SettingsError` that names the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; `rehabbox calibrate` makes a calibration file") from None
    try:
        return Calibration.model_validate(json.loads(data)), "sha256:" + sha256(data).hexdigest()
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise SettingsError(f"{path}: is not a calibration file: not JSON") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise SettingsError(f"{path}: is not a calibration file: {where}: {first['msg']}") from None
