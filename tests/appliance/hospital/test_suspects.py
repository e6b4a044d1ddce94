"""One message that ends every connection must not keep the others from the hospital."""

from __future__ import annotations

from itertools import pairwise

import pytest

from appliance.hospital import suspects as module
from appliance.hospital.suspects import Suspects


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    return clock


def test_what_was_under_way_at_one_outage_is_sent_as_ever() -> None:
    suspects = Suspects()
    assert suspects.ended({1, 2}) is None
    assert not suspects.held(1)
    assert suspects.next() is None


def test_what_ends_a_connection_alone_is_told_and_lets_the_others_go_first(now: list[float]) -> None:
    suspects = Suspects()
    for _ in range(2):
        assert suspects.ended({1, 2}) is None
    assert suspects.held(1)
    assert suspects.next() == 1
    assert suspects.ended({1}) == 1
    now[0] += 3600.0
    assert suspects.next() == 2
    suspects.clear(2)
    assert suspects.next() == 1


def test_it_is_tried_again_after_longer_and_longer_pauses_up_to_an_hour(now: list[float]) -> None:
    suspects, pauses = Suspects(), []
    for _ in range(2):
        suspects.ended({1})
    for _ in range(15):
        assert suspects.ended({1}) == 1
        began = now[0]
        while suspects.next() is None:
            now[0] += 1.0
        pauses.append(now[0] - began)
    assert pauses[0] == 2.0
    assert pauses[-1] == 3600.0
    assert all(before <= after for before, after in pairwise(pauses))


def test_an_end_with_nothing_under_way_accuses_nobody() -> None:
    suspects = Suspects()
    assert suspects.ended(set()) is None
    assert suspects.next() is None
