"""Comparisons gathered one by one into `Examples`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from appliance.errors import ManifestError
from appliance.quality.parts import BODY_PARTS, DIMENSIONS
from appliance.quality.relative import CHANNELS, FEATURES, PHASES, Relative
from models.training.examples import ORDINARY, UNKNOWN, Examples

_SWAPPED = [0, 2, 1, 4, 3]
"""`BODY_PARTS` with left and right exchanged."""


class Collector:
    """Of one data set."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rows: list[tuple[Relative, dict[str, object]]] = []

    def add(
        self,
        compared: Relative,
        *,
        exercise: str,
        reference_exercise: str,
        person: str,
        reference_person: str,
        recording: str,
        movement: int,
        kind: int,
        measured: bool,
        level: int = UNKNOWN,
        grades: NDArray[np.float32] | None = None,
        part_weights: NDArray[np.float64] | None = None,
    ) -> None:
        """grades: (3, 5), part_weights: (5,), by the patient's own sides.

        What is no ordinary comparison loses grades and levels.
        """
        given = np.full((len(DIMENSIONS), len(BODY_PARTS)), np.nan, np.float32) if grades is None else grades
        weights = np.full(len(BODY_PARTS), np.nan) if part_weights is None else part_weights
        if kind != ORDINARY:
            level, given = UNKNOWN, np.full_like(given, np.nan)
        self._rows.append(
            (
                compared,
                {
                    "exercise": exercise,
                    "reference_exercise": reference_exercise,
                    "person": person,
                    "reference_person": reference_person,
                    "recording": recording,
                    "level": np.int8(level),
                    "five": np.int8(UNKNOWN),
                    "grades": given[:, _SWAPPED] if compared.swapped else given,
                    "part_weights": weights[_SWAPPED if compared.swapped else slice(None)].astype(np.float32),
                    "movement": np.int8(movement),
                    "kind": np.int8(kind),
                    "measured": measured,
                },
            )
        )

    def examples(self) -> Examples:
        """All that was added, in that order. Raises `ManifestError` where nothing was."""
        if not self._rows:
            raise ManifestError(f"{self._source}: nothing in it can be compared")
        columns = {name: np.array([row[name] for _, row in self._rows]) for name in self._rows[0][1]}
        return Examples(
            sequence=np.array([r.sequence for r, _ in self._rows], np.float16).reshape(-1, PHASES, len(CHANNELS)),
            vector=np.array([r.vector for r, _ in self._rows], np.float32).reshape(-1, len(FEATURES)),
            source=np.full(len(self._rows), self._source),
            **columns,
        )
