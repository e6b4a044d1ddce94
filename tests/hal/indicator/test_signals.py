"""The table of cues: complete, told apart by rhythm alone and by ear, and the same in the documentation."""

from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hal.indicator.signals import SIGNALS
from hal.indicator.tones import RATE_HZ, tones
from hal.types import CueKind

DOCUMENT = Path(__file__).parents[3] / "docs" / "indicator.md"


def test_every_cue_has_a_signal_of_its_own():
    assert set(SIGNALS) == set(get_args(CueKind))
    for one, other in combinations(SIGNALS.values(), 2):
        assert one.rhythm != other.rhythm
        assert one.tones != other.tones


def test_without_colour_no_rhythm_is_taken_for_another():
    """Two differ in how often they light up or in the share of time they are lit, by at least half as much again."""

    def seen(rhythm):
        period = sum(rhythm) or 1.0
        return (len(rhythm) // 2 / period, sum(rhythm[::2]) / period) if rhythm else (0.0, 1.0)

    for one, other in combinations(SIGNALS.values(), 2):
        ratios = [max(a, b) / max(min(a, b), 1e-3) for a, b in zip(seen(one.rhythm), seen(other.rhythm), strict=True)]
        assert max(ratios) >= 1.5


def test_the_document_shows_the_table_as_it_is():
    rows = {}
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and cells[0] in SIGNALS:
            rows[cells[0]] = (cells[3], cells[4])
    assert rows == {
        kind: (
            ", ".join(f"{part:g}" for part in signal.rhythm) or "steady",
            "; ".join(f"{frequency:g} for {duration:g}" for frequency, duration in signal.tones),
        )
        for kind, signal in SIGNALS.items()
    }


@pytest.mark.parametrize("kind", SIGNALS)
def test_tones_have_their_pitch_their_length_and_no_click(kind):
    signal = SIGNALS[kind]
    sound = tones(signal, volume=0.5).astype(float)
    assert 0.8 * 0.5 * 32767 < np.abs(sound).max() <= 0.5 * 32767
    assert np.abs(np.diff(sound)).max() < 0.5 * 32767 * 0.5
    voiced = np.abs(sound) > 0
    assert voiced.sum() / RATE_HZ == pytest.approx(sum(duration for _, duration in signal.tones), rel=0.05)
    frequency, duration = signal.tones[-1]
    last = sound[-round((duration + 0.06) * RATE_HZ) :]
    spectrum = np.abs(np.fft.rfft(last, 1 << 16))
    assert np.argmax(spectrum) * RATE_HZ / (1 << 16) == pytest.approx(frequency, abs=5)
