"""Whole sessions as the patient meets them: what light and voice told, in order, from the box's own log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hal.button.evdev import EVENT

REHEARSAL = """\
waiting
ready shoulder_abduction left
countdown 3 shoulder_abduction left
countdown 2 shoulder_abduction left
countdown 1 shoulder_abduction left
recording shoulder_abduction left
beat_start shoulder_abduction left
beat_turn shoulder_abduction left
beat_end shoulder_abduction left
beat_start shoulder_abduction left
beat_turn shoulder_abduction left
beat_end shoulder_abduction left
scoring shoulder_abduction left
done shoulder_abduction left
question pain
noted
question effort
noted
waiting"""


def told(box: Any) -> list[str]:
    cues = [line.partition("cue: ")[2].split('"')[0] for line in box.log.splitlines() if "cue: " in line]
    return [cue.removesuffix(" 2 repetitions") for cue in cues]


def start(ward: Any, patient: str, **guidance: Any) -> Any:
    """Everything is both heard by the virtual patient and written to the log."""
    parts = f'[{{driver = "silent"}}, {{driver = "synthetic", tempo = 4.0, reaction_s = 0.1{patient}}}]'
    return ward.start(
        {"REHABBOX_INDICATOR__PARTS": parts},
        indicator={"driver": "combined"},
        guidance={"countdown_s": 0.6, "words_s": 0.2, "ask": False} | guidance,
    )


def closed(hospital: Any) -> bool:
    return any(session["state"] in ("done", "abandoned") for session in hospital.of("session"))


def test_a_session_is_led_from_the_announcement_to_the_answers(ward: Any, hospital: Any) -> None:
    box = start(ward, ', answers = ["left", "both"]', ask=True)
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 2) | {"paced": True}])
    hospital.wait(closed)
    assert box.stop() == 0
    assert "\n".join(told(box)) == REHEARSAL
    last = hospital.of("session")[-1]
    assert (last["state"], last["feedback"]) == ("done", {"pain": "no", "effort": "right"})
    assert hospital.of("result")[-1]["paced"] is True


@pytest.mark.parametrize(
    ("incident", "last_cue", "reason", "alert"),
    [
        ("fall", "help fall squat both", "the patient seems to have fallen", "fall_suspected"),
        ("left", "abandoned stopped squat both", "the patient stopped", None),
    ],
)
def test_who_falls_or_raises_a_hand_ends_the_session(
    ward: Any, hospital: Any, incident: str, last_cue: str, reason: str, alert: str | None
) -> None:
    box = start(ward, f', incident = "{incident}", incident_s = 0.5')
    hospital.prescribe([ward.exercise("squat", "both", 2), ward.exercise("heel_raise", "both", 2)])
    hospital.wait(closed)
    assert box.stop() == 0
    cues = told(box)
    assert last_cue in cues
    assert not any("heel_raise" in cue for cue in cues)
    last = hospital.of("session")[-1]
    assert (last["state"], last["reason"], last["feedback"]) == ("abandoned", reason, None)
    assert [one["code"] for one in hospital.of("alert") if one["state"] == "raised"] == ([alert] if alert else [])


def test_a_pressed_switch_ends_the_session_as_a_raised_hand_does(ward: Any, hospital: Any, tmp_path: Path) -> None:
    """The kernel's own records of a foot switch, over a pipe in the place of its device file."""
    switch = tmp_path / "event3"
    os.mkfifo(switch)
    kernel = os.open(switch, os.O_RDWR)
    parts = '[{driver = "silent"}, {driver = "synthetic", tempo = 4.0, reaction_s = 0.1}]'
    box = ward.start(
        {"REHABBOX_INDICATOR__PARTS": parts},
        indicator={"driver": "combined"},
        guidance={"countdown_s": 0.6, "words_s": 0.2, "ask": False},
        button={"driver": "evdev", "device": str(switch)},
    )
    hospital.prescribe([ward.exercise("squat", "both", 3)])
    hospital.wait(lambda heard: any(session["state"] == "recording" for session in heard.of("session")))
    os.write(kernel, b"".join(EVENT.pack(1764336000, 0, 1, 48, value) for value in (1, 2, 0)))
    hospital.wait(closed)
    assert box.stop() == 0
    os.close(kernel)
    assert "abandoned stopped squat both" in [cue.removesuffix(" 3 repetitions") for cue in told(box)]
    last = hospital.of("session")[-1]
    assert (last["state"], last["reason"]) == ("abandoned", "the patient stopped")
