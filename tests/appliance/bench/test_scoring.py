"""`rehabbox bench scoring` compares with the fastest peer there is, and says how to get them where there is none."""

from __future__ import annotations

import time

import numpy as np
import pytest

from appliance.bench import scoring
from appliance.bench.peers import Aligning, Floats


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "FRAMES", (40, 80))
    monkeypatch.setattr(scoring, "SCORED_S", 4.0)
    monkeypatch.setattr(scoring, "TURNS", 2)


def test_without_peers_our_own_figures_stand_and_one_line_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "installed_peers", dict)
    rows = {row.name: row for row in scoring.run()}
    assert "requirements-bench.lock" in capsys.readouterr().err
    assert not any("ratio" in name for name in rows)
    assert any("growth of the time from 40 to 80 frames" in name for name in rows)
    assert all(row.value > 0 for row in rows.values())
    assert rows["score of 60 s, one core"].limit == 50.0
    assert [row.limit for name, row in rows.items() if "memory of distances and path" in name] == [1, 1]


def test_the_ratio_is_to_the_fastest_peer_on_the_same_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[tuple[int, ...], int]] = []

    def peer(seconds: float) -> scoring.Callable[[Floats, Floats, int], Aligning]:
        def make(a: Floats, b: Floats, width: int) -> Aligning:
            asked.append((a.shape, width))
            assert not np.array_equal(a, b)
            return lambda: burn(seconds)

        return make

    monkeypatch.setattr(scoring, "installed_peers", lambda: {"slow": peer(0.05), "quick": peer(0.02)})
    times = scoring.alignment_ms(scoring.performance(1, 80), scoring.performance(2, 80))
    assert asked == [((80, 51), 8)] * 2
    assert times["quick"] == pytest.approx(20, rel=0.2)
    rows = scoring._beside_peers(80, times.pop("ours"), times)
    ratio = next(row for row in rows if "ratio" in row.name)
    assert ratio.unit == "of quick"
    assert ratio.ok
    assert rows[0].value / times["quick"] == ratio.value


def burn(seconds: float) -> None:
    """Takes that much CPU time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
