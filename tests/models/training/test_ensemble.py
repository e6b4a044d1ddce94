"""What several networks add to what one of their like learns. Each answers by one number of the vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from models.training import ensemble
from models.training.blocks import Floats
from models.training.ensemble import schooled
from models.training.examples import Examples
from models.training.lessons import Lessons
from tests.models.training.conftest import named_by_row, shares_of

MIXTURES, OUTPUTS = 2, 60


@dataclass
class Trained:
    """Stands for a trained network; at: the number it goes by."""

    at: int

    def predict(self, shown: list[Floats], batch_size: int, verbose: int) -> dict[str, Floats]:
        sequence, vector = shown
        assert (sequence.dtype, len(sequence)) == (np.float32, len(vector))
        return {"grades": np.repeat(3.0 * vector[:, self.at : self.at + 1], OUTPUTS, axis=1), "other": vector}


NETWORKS = [Trained(1), Trained(2)]


def answers(vector: Floats) -> Floats:
    """Their mean probability."""
    each = [1.0 / (1.0 + np.exp(-3.0 * vector[:, network.at])) for network in NETWORKS]
    return np.repeat(np.mean(each, axis=0)[:, None], OUTPUTS, axis=1)


def told(sets: Examples, seed: int = 1) -> Lessons:
    return schooled(named_by_row(sets), NETWORKS, "grades", MIXTURES, seed)  # type: ignore[arg-type]


def test_a_known_row_is_between_its_label_and_their_mean_answer(sets: Examples) -> None:
    count, lessons, found = len(sets), named_by_row(sets), told(sets)
    label, _ = lessons.labels["grades"]
    own = found.labels["grades"][0][:count]
    np.testing.assert_allclose(own, 0.3 * label + 0.7 * answers(lessons.shown[1]), atol=1e-6)
    assert found.labels["grades"][0].min() >= 0.0
    assert found.labels["grades"][0].max() <= 1.0
    for before, after in zip(lessons.shown, found.shown, strict=True):
        np.testing.assert_array_equal(after[:count], before)


def test_a_mixture_has_their_answer_and_the_rest_of_the_row_that_is_most_of_it(sets: Examples) -> None:
    count, lessons, found = len(sets), named_by_row(sets), told(sets)
    assert set(found.labels) == {"grades"}
    parts = (*found.shown, found.source, found.kind, *found.labels["grades"])
    assert {len(part) for part in parts} == {(1 + MIXTURES) * count}
    shares = shares_of(found.shown[0][count:])
    assert (shares.max(axis=1) >= 0.5).all()
    assert shares.max(axis=1).min() < 0.6
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=2e-3)
    mixed = found.shown[1][count:]
    np.testing.assert_allclose(mixed, shares @ lessons.shown[1], atol=1e-2)
    np.testing.assert_allclose(found.labels["grades"][0][count:], answers(mixed), atol=1e-6)
    most = shares.argmax(axis=1)
    np.testing.assert_array_equal(found.labels["grades"][1][count:], lessons.labels["grades"][1][most])
    np.testing.assert_array_equal(found.source[count:], lessons.source[most])
    np.testing.assert_array_equal(found.kind[count:], lessons.kind[most])


def test_the_same_seed_gives_the_same_however_many_are_asked_at_once(
    sets: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = told(sets), told(sets, seed=2)
    monkeypatch.setattr(ensemble, "_CHUNK", 7)
    again = told(sets)
    for before, after in zip(
        (*first.shown, *first.labels["grades"]), (*again.shown, *again.labels["grades"]), strict=True
    ):
        np.testing.assert_array_equal(before, after)
    assert (first.shown[1] != other.shown[1]).any()
