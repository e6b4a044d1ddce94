"""Whole sessions as the patient meets them: what light and voice told, in order, from the box's own log."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from itertools import count, groupby, islice
from pathlib import Path
from time import sleep
from typing import Any, cast

import pytest

from hal.button.evdev import EVENT
from hal.indicator.signals import SIGNALS, signal_name
from hal.types import HINTS, Cue, CueKind

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
noted no
question effort
noted right
waiting"""

WAITING = "waiting: There is nothing to do now."
SQUAT = "Next: stand upright, facing the box, feet apart. Bend your knees as if to sit down, and stand up again."
PAIN = """\
question-pain: Did it hurt? Yes: raise your right hand, or press the button once. \
No: raise your left hand, or press twice."""
NO = "noted-no: Noted: no, it did not hurt. If that is wrong, press again, or raise a hand."
YES = "noted-yes: Noted: yes, it hurt. If that is wrong, press again, or raise a hand."
EFFORT = """\
question-effort: How hard was it? Easy: raise your left hand, or press once. Just right: both hands, or press twice. \
Hard: your right hand, or press three times."""
HEARD = f"""\
{WAITING}
ready: Next: stand upright, facing the box, arms beside you. \
Lift your straight arm out to the side, and lower it again. \
With the left side. 2 times.
countdown: Three.
countdown: Two.
countdown: One.
recording: Go.
beat_start:
beat_turn:
beat_end:
beat_start:
beat_turn:
beat_end:
scoring: One moment, please.
done: Well done. This exercise is finished.
{PAIN}
{NO}
{EFFORT}
noted-right: Thank you. I have noted: just right.
{WAITING}"""
"""By loudspeaker alone: the tones' file, and the words after it."""
FLEETING = ("beat_", "countdown", "scoring")
"""A busy machine may need longer to start a player than these last."""

PLAYER = """\
#!/bin/sh
shift 2
tones=${1##*/}
shift
case "$tones" in silence*) exit 0;; esac
said="${tones%.wav}:"
for words; do said="$said $(cat "$words")"; done
echo "$said" >> HEARD
"""


QUESTIONS = """\
question pain
pressed
noted yes
pressed
question changed
question pain
pressed
noted no
question effort
pressed
noted hard
waiting"""
"""The button is pressed twice too slowly, which answers with yes, and takes that back."""
SAID = f"""\
{WAITING}
ready: {SQUAT} With both sides. 3 times.
abandoned: You have stopped. That is all right. You can rest now.
{PAIN}
{YES}
question: Then I ask once more.
{PAIN}
{NO}
{EFFORT}
noted-hard: Thank you. I have noted: hard.
{WAITING}"""


def told(box: Any) -> list[str]:
    cues = [line.partition("cue: ")[2].split('"')[0] for line in box.log.splitlines() if "cue: " in line]
    return [cue.removesuffix(" 2 repetitions") for cue in cues]


def start(
    ward: Any,
    patient: str,
    part: str,
    path: Path | None = None,
    environment: dict[str, str] | None = None,
    devices: dict[str, dict[str, str]] | None = None,
    **guidance: Any,
) -> Any:
    """Everything is both heard by the virtual patient and written to the log. part: of the indicator, one more.

    path: where programmes are looked for first.
    """
    parts = f'[{{driver = "silent"}}, {{driver = "synthetic", tempo = 4.0, reaction_s = 0.1{patient}}}{part}]'
    return ward.start(
        {"REHABBOX_INDICATOR__PARTS": parts}
        | ({"PATH": f"{path}:{os.environ['PATH']}"} if path else {})
        | (environment or {}),
        indicator={"driver": "combined"},
        guidance={"countdown_s": 0.6, "words_s": 0.2, "change_s": 0.2, "ask": False} | guidance,
        **(devices or {}),
    )


def closed(hospital: Any) -> bool:
    return any(session["state"] in ("done", "abandoned") for session in hospital.of("session"))


def light(folder: Path) -> tuple[str, Callable[[], list[str]]]:
    """A multicolour LED of the kernel's class, and the colours it shone in: its files are one pipe."""
    led = folder / "leds" / "rgb"
    led.mkdir(parents=True)
    for name, text in (("max_brightness", "255"), ("trigger", "[none]"), ("multi_index", "red green blue")):
        (led / name).write_text(text)
    os.mkfifo(led / "brightness")
    os.link(led / "brightness", led / "multi_intensity")
    pipe = os.open(led / "brightness", os.O_RDWR | os.O_NONBLOCK)

    def shone() -> list[str]:
        written = os.read(pipe, 1 << 16).decode().splitlines()
        os.close(pipe)
        return [line for line in written if " " in line]

    return f', {{driver = "led", name = "rgb", root = "{led.parent}"}}', shone


def voice(folder: Path) -> tuple[str, Callable[[], list[str]]]:
    """A loudspeaker without any light, and what was said: the sound files hold their texts, the player notes them."""
    texts = tomllib.loads((Path(__file__).parents[2] / "config/prompts/en.toml").read_text("utf-8"))
    (folder / "prompts/en").mkdir(parents=True)
    for name, text in texts.items():
        (folder / "prompts/en" / f"{name}.wav").write_text(text if isinstance(text, str) else text[0])
    for times in (2, 3):
        (folder / f"prompts/en/times-{times}.wav").write_text(texts["times"].format(count=times))
    heard, player = folder / "heard", folder / "aplay"
    player.write_text(PLAYER.replace("HEARD", str(heard)))
    player.chmod(0o755)
    return f', {{driver = "speaker", prompts = "{folder}/prompts"}}', lambda: heard.read_text("utf-8").splitlines()


def steady(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(FLEETING)]


def colours_of(cues: list[str]) -> list[str]:
    """What an LED shows of them, one colour after another."""
    shown = []
    for cue in cues:
        kind, _, rest = cue.partition(" ")
        hint = rest.split(" ")[0]
        detail = {"hint": hint} if hint in HINTS.get(cast(CueKind, kind), ()) else {}
        shown.append(SIGNALS[signal_name(Cue(cast(CueKind, kind), detail=detail))].colour)
    return [" ".join(f"{round(255 * share)}" for share in colour) for colour, _ in groupby(shown)]


def test_a_session_is_led_from_the_announcement_to_the_answers_by_light_and_by_voice(
    ward: Any, hospital: Any, tmp_path: Path
) -> None:
    """Each is given every cue, and knows nothing of the other."""
    (led, shone), (speaker, said) = light(tmp_path), voice(tmp_path)
    box = start(ward, ', answers = ["left", "both"]', led + speaker, tmp_path, ask=True, countdown_s=0.9, words_s=0.6)
    hospital.prescribe([ward.exercise("shoulder_abduction", "left", 2) | {"paced": True}])
    hospital.wait(closed)
    assert box.stop() == 0
    assert "\n".join(told(box)) == REHEARSAL
    heard = said()
    assert steady(heard) == steady(HEARD.splitlines())
    assert {"beat_start:", "beat_turn:", "beat_end:"} <= set(heard) <= set(HEARD.splitlines())
    assert [colour for colour, _ in groupby(shone())] == colours_of(REHEARSAL.splitlines())
    last = hospital.of("session")[-1]
    assert (last["state"], last["feedback"]) == ("done", {"pain": "no", "effort": "right"})
    hospital.wait(lambda heard: any(one["category"][0]["coding"][0]["code"] == "survey" for one in heard.of("fhir")))
    assert hospital.of("result")[-1]["paced"] is True


@pytest.mark.parametrize(
    ("incident", "last_cue", "reason", "alert"),
    [
        ("fall", "help fall squat both", "the patient seems to have fallen", "fall_suspected"),
        ("left", "abandoned stopped squat both", "the patient stopped", None),
    ],
)
def test_who_falls_or_raises_a_hand_ends_the_session_and_sees_it_by_light_alone(
    ward: Any, hospital: Any, tmp_path: Path, incident: str, last_cue: str, reason: str, alert: str | None
) -> None:
    led, shone = light(tmp_path)
    box = start(ward, f', incident = "{incident}", incident_s = 0.5', led)
    hospital.prescribe([ward.exercise("squat", "both", 2), ward.exercise("heel_raise", "both", 2)])
    hospital.wait(closed)
    assert box.stop() == 0
    cues = told(box)
    assert last_cue in cues
    assert not any("heel_raise" in cue for cue in cues)
    assert [colour for colour, _ in groupby(shone())] == colours_of(cues)
    last = hospital.of("session")[-1]
    assert (last["state"], last["reason"], last["feedback"]) == ("abandoned", reason, None)
    assert [one["code"] for one in hospital.of("alert") if one["state"] == "raised"] == ([alert] if alert else [])


def test_a_pressed_switch_ends_the_session_and_answers_the_questions_of_who_hears_the_voice_alone(
    ward: Any, hospital: Any, plug_in: dict[str, str], tmp_path: Path
) -> None:
    """The kernel's own records of a foot switch, over a pipe in the place of its device file; no hand is raised.

    The camera is away in the countdown, which goes on when it is back, and from the last question on.
    """
    switch = tmp_path / "event3"
    os.mkfifo(switch)
    kernel = os.open(switch, os.O_RDWR)

    seconds = count(1764336000)

    def press(times: int) -> None:
        for second in islice(seconds, times):
            os.write(kernel, b"".join(EVENT.pack(second, 0, 1, 48, value) for value in (1, 2, 0)))

    speaker, said = voice(tmp_path)
    foot = ', {driver = "foot", trips = {"countdown 3 squat" = 0.5, "question effort" = 1000.0}}'
    devices = {"button": {"driver": "evdev", "device": str(switch)}, "camera": {"driver": "flaky"}}
    box = start(ward, "", speaker + foot, tmp_path, plug_in, devices, ask=True, words_s=0.4, change_s=1.0)
    hospital.prescribe([ward.exercise("squat", "both", 3)])
    hospital.wait(lambda heard: any(session["state"] == "recording" for session in heard.of("session")))
    press(1)
    for cue, nth, times in (
        ("question pain", 1, 1),
        ("noted yes", 1, 1),
        ("question pain", 2, 2),
        ("question effort", 1, 3),
    ):
        hospital.wait(lambda _, cue=cue, nth=nth: told(box).count(cue) == nth)
        sleep(0.5)
        press(times)
    hospital.wait(closed)
    assert box.stop() == 0
    os.close(kernel)
    cues = [cue.removesuffix(" 3 repetitions") for cue in told(box)]
    assert [cue for cue in cues if "countdown" in cue] == [f"countdown {count} squat both" for count in (3, 2, 1)]
    assert "abandoned stopped squat both" in cues
    assert cues[cues.index("question pain") :] == QUESTIONS.splitlines()
    heard = [line for line in said() if not line.startswith(("countdown", "recording", "pressed"))]
    assert heard == SAID.splitlines()
    assert box.log.count("the flaky camera was unplugged") == 2, box.log
    last = hospital.of("session")[-1]
    assert (last["state"], last["reason"]) == ("abandoned", "the patient stopped")
    assert last["feedback"] == {"pain": "no", "effort": "hard"}
