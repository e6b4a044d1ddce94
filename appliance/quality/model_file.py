"""The shipped classifier's two files: `quality.tflite`, and `quality.json` with all that is needed to use it."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from appliance.errors import ModelError
from appliance.quality.network import Network
from appliance.quality.parts import BODY_PARTS, DIMENSIONS, LEVELS
from appliance.quality.relative import CHANNELS, FEATURES, PHASES

_Numbers = tuple[float, ...]
_REMEDY = "install the box's software again"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Standardisation(_Model):
    """By channel or feature: what is subtracted, then divided by; the rest is cut off at `clip`."""

    mean: _Numbers
    spread: tuple[Annotated[float, Field(gt=0)], ...]


class Calibration(_Model):
    """From the network's `correct` to a probability: of slope * logit + offset (Platt 1999), on persons held out."""

    slope: Annotated[float, Field(gt=0)]
    offset: float


class Limits(_Model):
    """same: the least logit of doing what the reference shows. strangeness: the largest that is still ordinary."""

    same: float
    strangeness: float


class ModelFile(_Model):
    """`quality.json`. version: name and number; movements: ids of FineRehab's 1..16, in the order of the output."""

    version: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    channels: tuple[str, ...]
    features: tuple[str, ...]
    clip: Annotated[float, Field(gt=0)]
    sequence: Standardisation
    vector: Standardisation
    calibration: Calibration
    limits: Limits
    movements: tuple[str, ...]

    @model_validator(mode="after")
    def _fits_this_software(self) -> ModelFile:
        if self.channels != CHANNELS or self.features != FEATURES:
            raise ValueError("it was trained on other inputs than this software makes: they belong to one release")
        for name, values, count in (("sequence", self.sequence, CHANNELS), ("vector", self.vector, FEATURES)):
            if not len(values.mean) == len(values.spread) == len(count):
                raise ValueError(f"{name} needs {len(count)} means and spreads")
        return self


def models_dir() -> Path:
    """`$REHABBOX_MODELS`, or the `models` folder beside the package."""
    named = os.environ.get("REHABBOX_MODELS")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "models"


def read_model(folder: Path) -> tuple[ModelFile, Network] | None:
    """None where none is installed. Raises `ModelError`, naming the file, for one that is damaged or does not fit."""
    described, trained = folder / "quality.json", folder / "quality.tflite"
    try:
        if not described.exists() and not trained.exists():
            return None
    except OSError as error:  # a folder that this user may not look into, say
        raise ModelError(f"{described}: {error.strerror}; {_REMEDY}") from None
    content = _content(trained)
    try:
        model = ModelFile.model_validate(json.loads(_content(described)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "content"
        raise ModelError(f"{described}: {where}: {first['msg']}; {_REMEDY}") from None
    except (ValueError, RecursionError):
        raise ModelError(f"{described}: is damaged: not JSON; {_REMEDY}") from None
    if sha256(content).hexdigest() != model.sha256:
        raise ModelError(f"{trained}: is damaged, or not the file that {described.name} describes; {_REMEDY}")
    try:
        network = Network(content)
        _require_fit(network, model)
    except ModelError as error:
        raise ModelError(f"{trained}: {error}; {_REMEDY}") from None
    return model, network


def _require_fit(network: Network, model: ModelFile) -> None:
    takes = {"sequence": (PHASES, len(CHANNELS)), "vector": (len(FEATURES),)}
    bounds = len(LEVELS) - 1
    gives = {
        "correct": 1,
        "same": 1,
        "level": bounds,
        "grades": len(DIMENSIONS) * len(BODY_PARTS) * bounds,
        "movement": 1 + len(model.movements),
    }
    if network.shapes != takes or not gives.items() <= network.sizes.items():
        raise ModelError("takes or gives other numbers than this software: they belong to one release")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; {_REMEDY}") from None
