"""Pain and effort asked for with a box's real devices: a switch's own records over a pipe, a camera that is away."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import pytest

from appliance import gestures, questions
from appliance.devices import Devices
from appliance.guidance_settings import GuidanceSettings
from appliance.messages.session import Feedback
from appliance.questions import Asked, ask
from appliance.settings import load_settings
from hal.button.evdev import EVENT
from hal.types import Cue

BROKER = """\
broker = {host = "localhost", ca = "ca", certificate = "certificate", key = "key", site = "clinic", box = "box-1"}
session = {state = ".", references = "."}
"""
NO_CAMERA = '[camera]\ndriver = "video"\nfile = "/nowhere.mp4"\n[pose]\ndriver = "device"\n'
STILL = '[camera]\ndriver = "synthetic"\n[pose]\ndriver = "device"\n'


def box(tmp_path: Path, tables: str, indicator: str = '{driver = "silent"}') -> Devices:
    file = tmp_path / "settings.toml"
    file.write_text(f"{BROKER}indicator = {indicator}\n{tables}")
    return Devices.of(load_settings(file, {}))


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[tuple[str, Callable[[int], None]]]:
    """Its table of settings, and how it is pressed so many times."""
    path = tmp_path / "event3"
    os.mkfifo(path)
    kernel = os.open(path, os.O_RDWR)
    seconds = count(1764336000)

    def press(times: int) -> None:
        for _ in range(times):
            os.write(kernel, EVENT.pack(next(seconds), 0, 1, 48, 1))

    yield f'[button]\ndriver = "evdev"\ndevice = "{path}"\n', press
    os.close(kernel)


def asked(
    devices: Devices,
    press: Callable[[int], None],
    presses: dict[str, list[int]],
    answer_s: float,
    change_s: float = 0.1,
) -> tuple[Asked, list[str]]:
    """presses: how often the button is pressed at each telling of a question, one after another."""
    told: list[str] = []

    def tell(kind: str, hint: str) -> None:
        told.append(f"{kind} {hint}".strip())
        if waiting := presses.get(hint):
            pending.append((monotonic() + 0.2, waiting.pop(0)))

    pending: list[tuple[float, int]] = []

    def interruption() -> None:
        while pending and pending[0][0] < monotonic():
            press(pending.pop(0)[1])

    try:
        guidance = GuidanceSettings(answer_s=answer_s, words_s=0.2, change_s=change_s)
        return ask(devices, tell, guidance, interruption), told
    finally:
        devices.button.close()


def test_without_a_camera_the_button_alone_is_asked_and_what_was_pressed_is_said_back(tmp_path, switch, monkeypatch):
    monkeypatch.setattr(questions, "PRESSES_APART_S", 0.3)
    table, press = switch
    devices = box(tmp_path, NO_CAMERA + table)
    devices.presses()
    press(1)  # before the question: it answers nothing
    answer, told = asked(devices, press, {"pain_button": [2], "effort_button": [5, 3]}, answer_s=20.0)
    assert answer == Asked(Feedback(pain="no", effort="hard"))
    assert [cue for cue in told if cue != "pressed"] == [
        "question pain_button", "noted no",
        "question effort_button", "question again", "question effort_button", "noted hard",
    ]  # fmt: skip
    assert "pressed" in told


def test_who_cannot_be_seen_and_has_no_button_is_not_asked_and_the_reason_is_told(tmp_path):
    answer, told = asked(box(tmp_path, NO_CAMERA), lambda times: None, {}, answer_s=0.3)
    assert told == []
    assert answer.feedback is None
    assert answer.missing is not None
    assert answer.missing.startswith("no button, and ")
    assert "/nowhere.mp4" in answer.missing


def test_who_is_seen_and_does_not_answer_is_asked_each_question_once(tmp_path):
    answer, told = asked(box(tmp_path, STILL), lambda times: None, {}, answer_s=0.3)
    assert answer == Asked(Feedback(pain="not_answered", effort="not_answered"))
    assert told == ["question pain", "noted unanswered", "question effort", "noted unanswered"]


def test_an_answer_that_is_said_back_is_taken_back_by_one_more_press_and_thrice_taken_back_is_none(
    tmp_path, switch, monkeypatch
):
    monkeypatch.setattr(questions, "PRESSES_APART_S", 0.3)
    table, press = switch
    presses = {"pain_button": [1, 2], "yes": [1], "effort_button": [1, 2, 3], "easy": [1], "right": [2], "hard": [1]}
    answer, told = asked(box(tmp_path, NO_CAMERA + table), press, presses, answer_s=20.0, change_s=1.5)
    assert answer == Asked(Feedback(pain="no", effort="not_answered"))
    assert [cue for cue in told if cue != "pressed"] == [
        "question pain_button", "noted yes", "question changed", "question pain_button", "noted no",
        "question effort_button", "noted easy", "question changed", "question effort_button", "noted right",
        "question changed", "question effort_button", "noted hard", "noted unanswered",
    ]  # fmt: skip


def test_a_button_that_never_comes_to_rest_ends_no_session(tmp_path, switch, monkeypatch):
    monkeypatch.setattr(questions, "BOUNCING_S", 0.5)
    table, press = switch
    devices = box(tmp_path, NO_CAMERA + table)
    told: list[str] = []
    try:
        guidance = GuidanceSettings(answer_s=0.3, words_s=0.1, change_s=0.3)
        answer = ask(devices, lambda kind, hint: told.append(f"{kind} {hint}".strip()), guidance, lambda: press(1))
    finally:
        devices.button.close()
    assert answer == Asked(Feedback(pain="not_answered", effort="not_answered"))
    assert told.count("question again") == 2 * (questions.MOST_ASKED - 1)


def test_a_press_right_behind_an_answer_takes_it_back(tmp_path, switch, monkeypatch):
    monkeypatch.setattr(questions, "PRESSES_APART_S", 0.3)
    table, press = switch
    devices = box(tmp_path, NO_CAMERA + table)
    told: list[str] = []

    def tell(kind: str, hint: str) -> None:
        told.append(f"{kind} {hint}".strip())
        if kind == "noted" and told.count("noted yes") == 1:
            press(1)
            sleep(0.3)  # words of a player that keeps who calls it

    due = [1]

    def interruption() -> None:
        if told and due and told[-1].startswith("question"):
            press(due.pop())

    try:
        ask(devices, tell, GuidanceSettings(answer_s=0.6, words_s=0.1, change_s=0.5), interruption)
    finally:
        devices.button.close()
    assert [cue for cue in told if cue != "pressed"][:4] == [
        "question pain_button", "noted yes", "question changed", "question pain_button",
    ]  # fmt: skip


def test_another_hand_takes_an_answer_back_and_lowering_the_one_that_gave_it_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(gestures, "HELD_S", 0.4)
    devices = box(
        tmp_path, STILL, '{driver = "synthetic", reaction_s = 0.1, answers = ["right", "left", "right", "both"]}'
    )
    told: list[str] = []

    def tell(kind, hint):
        told.append(f"{kind} {hint}")
        devices.indicator.show(Cue(kind, detail={"hint": hint}))
        if hint == "easy":  # it is no: they raise the next hand of their own accord
            devices.indicator.show(Cue("question", detail={"hint": "effort"}))

    answer = ask(devices, tell, GuidanceSettings(answer_s=20.0, words_s=0.2, change_s=2.0), lambda: None)
    assert answer == Asked(Feedback(pain="yes", effort="right"))
    assert told == [
        "question pain", "noted yes",
        "question effort", "noted easy", "question changed", "question effort", "noted right",
    ]  # fmt: skip
