"""What the card says of its data."""

from __future__ import annotations

import pytest

from appliance.quality.model_file import models_dir, read_model
from models.training.card import card_of
from models.training.examples import FINEREHAB, VIRTUAL_TRAINING, joined
from tests.models.training.test_folds import some


@pytest.mark.parametrize("at_hand", [False, True])
def test_nothing_is_claimed_about_finerehab_where_it_was_not_at_hand(at_hand: bool) -> None:
    installed = read_model(models_dir())
    assert installed is not None
    examples = joined([some(VIRTUAL_TRAINING, 4, 2), *([some(FINEREHAB, 5, 2)] if at_hand else [])])
    card = card_of(installed[0], b"", examples, [])
    assert ("nothing is claimed about FineRehab's" in card) != at_hand
    assert ("**FineRehab**: each cut" in card) == at_hand
    assert ("| finerehab | 5 | 2 |" in card) == at_hand
