"""What the classifier says of one movement, and whether it knows anything about such a movement at all."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from appliance.errors import ModelError, SettingsError
from appliance.quality.levels import Distribution, read_distribution
from appliance.quality.model_file import ModelFile, Standardisation, models_dir, read_model
from appliance.quality.network import Network
from appliance.quality.parts import BODY_PARTS, DIMENSIONS
from appliance.quality.relative import Relative, relative
from appliance.quality.score import Grades
from appliance.scoring.body import Body
from appliance.scoring.components import Model

_log = logging.getLogger(__name__)

LEVELS_FILE = "levels.json"
OTHER, NOT_SURE, AS_REFERENCE = "other", "not sure", "as reference"
"""Movements beside the sixteen: not the reference's; like nothing that was trained on; the reference's, which is none
of the sixteen."""

_OTHER_SIDE = [BODY_PARTS.index(part) for part in ("trunk", "right_arm", "left_arm", "right_leg", "left_leg")]


@dataclass(frozen=True, slots=True)
class Judgement:
    """quality: calibrated probability that it is done correctly, 0..1. level: 0 best .. 4, as in manifests; see
    `appliance.quality.dimensions.level_of`.

    movement: an exercise's id, or one of `OTHER`, `NOT_SURE`, `AS_REFERENCE`. grades: A_ij, whole as people's are.
    """

    quality: float
    level: int
    movement: str
    grades: Grades

    @property
    def sure(self) -> bool:
        """False: the other figures stand, but mean little."""
        return self.movement not in (OTHER, NOT_SURE)


class Judge:
    """The shipped classifier; safe for several threads."""

    def __init__(
        self,
        model: ModelFile,
        network: Network,
        distribution: Distribution | None = None,
        levels: str | None = None,
        levels_unusable: str | None = None,
    ) -> None:
        """distribution: of FineRehab scores; levels: its digest; levels_unusable: why there is none."""
        self._model, self._network, self._lock = model, network, threading.Lock()
        self.distribution, self.levels, self.levels_unusable = distribution, levels, levels_unusable

    @property
    def version(self) -> str:
        return self._model.version

    def judge(self, reference: Model, patient: Body) -> Judgement:
        """One repetition, or a recording of one, against its reference. Raises `NotScorableError` as `relative`."""
        return self.judge_relative(relative(reference, patient))

    def judge_relative(self, compared: Relative) -> Judgement:
        """As `judge`, of a comparison made before."""
        model = self._model
        inputs = {
            "sequence": standardised(compared.sequence, model.sequence, model.clip),
            "vector": standardised(compared.vector, model.vector, model.clip),
        }
        with self._lock:
            outputs = self._network.run(inputs)
        logit = model.calibration.slope * float(outputs["correct"][0]) + model.calibration.offset
        return Judgement(
            quality=float(expit(logit)),
            level=int(passed(outputs["level"], 1)[0]),
            movement=self._movement(outputs, float(strangeness(compared.vector, model.vector))),
            grades=_grades(outputs["grades"], swapped=compared.swapped),
        )

    def _movement(self, outputs: dict[str, NDArray[np.float64]], strange: float) -> str:
        limits = self._model.limits
        if strange > limits.strangeness:
            return NOT_SURE
        if float(outputs["same"][0]) < limits.same:
            return OTHER
        number = int(outputs["movement"].argmax())
        return self._model.movements[number - 1] if number else AS_REFERENCE


@cache
def shipped_judge() -> Judge | None:
    """None where no model is installed; without a distribution where that is damaged, for only the five levels need it.

    Raises `ModelError` for a model that cannot be used.
    """
    folder = models_dir()
    found = read_model(folder)
    if found is None:
        return None
    levels = folder / LEVELS_FILE
    try:
        return Judge(*found, *(read_distribution(levels) if levels.exists() else ()))
    except SettingsError as error:
        return Judge(*found, levels_unusable=f"{error}; install the box's software again")


def usable_judge() -> Judge | None:
    """As `shipped_judge`, but what of it cannot be used is logged, once: scores do not depend on it."""
    try:
        judge = shipped_judge()
    except ModelError as error:
        _log_once(f"no quality classifier: {error}")
        return None
    if judge is not None and judge.levels_unusable:
        _log_once(f"no levels of FineRehab's score: {judge.levels_unusable}")
    return judge


@cache
def _log_once(what: str) -> None:
    _log.error("%s", what)


def standardised(values: NDArray[np.float32], by: Standardisation, clip: float) -> NDArray[np.float32]:
    """values: (..., n). What is far outside of training is cut off."""
    mean, spread = np.array(by.mean, np.float32), np.array(by.spread, np.float32)
    return np.clip((values - mean) / spread, -clip, clip)


def strangeness(vectors: NDArray[np.float32], by: Standardisation) -> NDArray[np.float64]:
    """(...,) how far vectors (..., features) lie from those trained on: the root mean square in standard deviations
    (ours)."""
    away = (vectors - np.array(by.mean)) / np.array(by.spread)
    return np.asarray(np.sqrt((away**2).mean(axis=-1)))


def passed(logits: NDArray[np.float64], steps: int) -> NDArray[np.intp]:
    """(..., steps) whole numbers, each of how many of its bounds are more likely passed than not: the median, which has
    the least absolute error. logits: (..., steps * bounds), of being above each bound (Frank & Hall 2001)."""
    return np.asarray((logits.reshape(*logits.shape[:-1], steps, -1) > 0.0).sum(axis=-1))


def _grades(logits: NDArray[np.float64], *, swapped: bool) -> Grades:
    """By the patient's own sides."""
    values = passed(logits, len(DIMENSIONS) * len(BODY_PARTS)).reshape(len(DIMENSIONS), len(BODY_PARTS))
    return Grades((values[:, _OTHER_SIDE] if swapped else values).astype(np.float64))
