"""The table of cues: complete, told apart by rhythm alone and by ear, and the same in the documentation."""

from itertools import combinations, product
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from hal.indicator.signals import ALIKE, COUNTABLE, SIGNALS, signal_name, signal_of
from hal.indicator.tones import RATE_HZ, tones
from hal.types import HINTS, Cue, CueKind

DOCUMENT = Path(__file__).parents[3] / "docs" / "indicator.md"


AN_ANSWER = {"noted-yes": "noted-easy", "noted-no": "noted-right"}
"""Shown back alike: which question it was for, the patient knows, and colour tells."""


def test_every_cue_has_a_signal_of_its_own_and_hints_that_ask_for_something_else_do_too():
    hints = {f"{kind}-{hint}" for kind, hints in HINTS.items() for hint in hints}
    assert set(get_args(CueKind)) <= set(SIGNALS) <= set(get_args(CueKind)) | hints
    assert set(ALIKE) <= hints - set(SIGNALS)
    for (name, one), (_, other) in different():
        assert one.rhythm != other.rhythm, name
        assert one.tones != other.tones, name
    for one, other in AN_ANSWER.items():
        assert SIGNALS[one].rhythm == SIGNALS[other].rhythm
        assert SIGNALS[one].colour != SIGNALS[other].colour


def test_what_a_patient_must_do_is_shown_by_light_alone():
    """By rhythm: what asks for different things has different signals, what asks for the same has the same."""
    asked = {
        "come in front, all of you in view": [("place", hint) for hint in ("nobody", "partly", "turned")],
        "step back": [("place", "too_near")],
        "come closer": [("place", "too_far")],
        "be alone": [("place", "alone"), ("paused", "")],
        "get ready": [("countdown", count) for count in "321"],
        "go": [("recording", "")],
        "rest": [("abandoned", hint) for hint in HINTS["abandoned"]],
        "did it hurt": [("question", "pain"), ("question", "pain_button")],
        "how hard was it": [("question", "effort"), ("question", "effort_button")],
        "raise a hand or press": [("question", "all_right")],
        "answer anew": [("question", "again"), ("question", "changed")],
        "look at the plugs": [("fault", "camera")],
        "call for help": [("help", hint) for hint in HINTS["help"]],
    }
    rhythms = {what: {SIGNALS[signal_name(Cue(kind, detail={"hint": hint}))].rhythm for kind, hint in cues}
               for what, cues in asked.items()}  # fmt: skip
    assert all(len(one) == 1 for one in rhythms.values())
    assert len(set.union(*rhythms.values())) == len(asked)


def different():
    pairs = combinations(SIGNALS.items(), 2)
    return [(one, other) for one, other in pairs if AN_ANSWER.get(one[0]) != other[0]]


def test_without_colour_no_rhythm_is_taken_for_another():
    """Two differ by half as much again in how often they light up, in the share of time, or in flashes in a row."""

    def seen(rhythm):
        period = sum(rhythm) or 1.0
        flashes = len(rhythm) // 2
        return (flashes / period, sum(rhythm[::2]) / period, flashes) if rhythm else (0.0, 1.0, 0)

    others = [signal for name, signal in SIGNALS.items() if name != "ready"]
    counted = [signal_of(Cue("ready", detail={"number": str(one)})) for one in range(1, COUNTABLE + 1)]
    pairs = [(one, other) for (_, one), (_, other) in different()]
    for one, other in [*pairs, *product(counted, others)]:
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


def test_the_light_before_an_exercise_counts_out_its_number():
    flashes = [len(signal_of(Cue("ready", detail={"number": str(one)})).rhythm) // 2 for one in range(1, COUNTABLE + 1)]
    assert flashes == list(range(1, COUNTABLE + 1))
    assert signal_of(Cue("ready", detail={"number": str(COUNTABLE + 1)})) == signal_of(Cue("ready")) == SIGNALS["ready"]


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
