"""Draws what a patient must know, from what the box itself goes by: its lights, its signs, where it measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from appliance.gestures import HELD_S, Hands
from appliance.placing import FAR_M, NEAR_M
from appliance.questions import EFFORT, PAIN, Answer
from appliance.skeleton.standard import INDEX
from hal.virtual.patient import VirtualPatient
from lamps import LAMPS, lamp
from svg import INK, dot, line, polygon, rect, sheet, text

Joints = NDArray[np.float64]
View = Literal["behind", "side"]

STANDS_M = 2.5
"""Where the patient is drawn, from the box."""
_FIGURE, _LIMB, _GOOD, _BAD, _DIM = "#33475b", "#d9480f", "#2b8a3e", "#c92a2a", "#868e96"
_PX_A_METRE = 100.0
_WORDS = {"yes": "Yes", "no": "No", "easy": "Easy", "right": "Just right", "hard": "Hard"}
_LIMBS = (
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")
      for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))),
    ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"), ("neck", "thorax"),
)  # fmt: skip


def drawings() -> dict[str, str]:
    """The SVGs by file name."""
    lamps = {f"lamp-{name}.svg": lamp(name) for name in LAMPS}
    return lamps | {
        "patient-place.svg": _place(),
        "patient-stop.svg": _stop(),
        "patient-pain.svg": _answers(PAIN),
        "patient-effort.svg": _answers(EFFORT),
    }


def write_drawings(folder: Path) -> None:
    for name, svg in drawings().items():
        (folder / name).write_text(svg, "utf-8")


def standing(hands: Hands | None = None) -> Joints:
    """(17, 3) metres, stage axes (y up, towards the box): upright, these hands raised."""
    patient = VirtualPatient(0, 1.70)
    if hands is not None:
        patient.raise_hands(hands, 0.0, 5.0)
    return np.asarray(patient.joints(np.array([3.0]))[0])


def _person(joints: Joints, x: float, floor: float, view: View = "behind", scale: float = 1.0) -> list[str]:
    """Standing at x on the floor; a raised arm is marked. From behind, the patient's left is on the left."""
    px = _PX_A_METRE * scale
    across = -joints[:, 0] if view == "behind" else joints[:, 2]
    lowest = joints[:, 1].min()
    flat = np.stack([x + px * (across - across[INDEX["pelvis"]]), floor - px * (joints[:, 1] - lowest) - 8 * scale], 1)
    at = {name: (float(flat[place, 0]), float(flat[place, 1])) for name, place in INDEX.items()}
    raised = [side for side in ("left", "right") if at[f"{side}_wrist"][1] < at["head"][1]]
    trunk = [at[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
    parts = [polygon(trunk, _FIGURE, f'stroke="{_FIGURE}" stroke-width="{16 * scale:g}" stroke-linejoin="round"')]
    for a, b in _LIMBS:
        arm = a.endswith(("shoulder", "elbow")) and b.endswith(("elbow", "wrist"))
        parts.append(line([at[a], at[b]], _LIMB if arm and a.split("_")[0] in raised else _FIGURE, 15 * scale))
    parts += [dot(*at[f"{side}_wrist"], 12 * scale, _LIMB) for side in raised]
    return [*parts, dot(at["head"][0], at["head"][1] - 4 * scale, 17 * scale, _FIGURE)]


def _place() -> str:
    """From the side: how far away; below it what the box sees."""
    floor, box = 250.0, 90.0
    at = {metres: box + _PX_A_METRE * metres for metres in (NEAR_M, STANDS_M, FAR_M)}
    parts = [
        polygon([(box + 12, 150), (at[FAR_M], 4), (at[FAR_M], floor), (box + 60, floor)], "#e7f5ff"),
        line([(20, floor), (600, floor)], _DIM, 3),
        rect(box - 55, 164, 80, 8, _DIM),
        *(line([(x, 172), (x, floor)], _DIM, 5) for x in (box - 48, box + 18)),
        rect(box - 30, 136, 42, 28, INK, 'rx="5"'),
        dot(box + 3, 150, 6, "#74c0fc"),
        text(box - 10, 126, "the box"),
        *_person(standing(), at[STANDS_M], floor, "side"),
        line([(at[NEAR_M], floor + 16), (at[FAR_M], floor + 16)], _GOOD, 10),
        text(at[STANDS_M] + 45, floor + 46, f"good: {NEAR_M:g} to {FAR_M:g} metres from the box", colour=_GOOD),
        line([(box + 10, floor + 16), (at[NEAR_M] - 14, floor + 16)], _BAD, 10),
        text(box + 50, floor + 46, "too near", colour=_BAD),
    ]
    seen = (
        ("good", _GOOD, ((0.0, 1.0),)),
        ("only a part of you", _BAD, ((0.0, 1.75),)),
        ("not alone", _BAD, ((-38.0, 1.0), (40.0, 0.9))),
    )
    top, wide, high = 362.0, 150.0, 200.0
    for number, (words, colour, people) in enumerate(seen):
        left = 40 + 195 * number
        clip = f"seen{number}"
        frame = (left, top, wide, high)
        parts.append(f'<clipPath id="{clip}">{rect(*frame, "none")}</clipPath>')
        parts += [f'<g clip-path="url(#{clip})">', rect(*frame, "#f1f3f5")]
        for shift, scale in people:
            below = top + high - 8 if scale <= 1 else top + high + 130
            parts += _person(standing(), left + wide / 2 + shift, below, "behind", scale)
        parts.append("</g>")
        parts.append(rect(*frame, "none", f'stroke="{colour}" stroke-width="5"'))
        parts.append(text(left + wide / 2, top + high + 26, words, colour=colour))
    parts.append(text(40, top - 14, "What the box sees:", anchor="start"))
    return sheet(620, top + 250, parts)


def _stop() -> str:
    parts = [
        *_person(standing("right"), 165, 290),
        text(165, 322, "Raise a hand above your head,"),
        text(165, 346, f"for {HELD_S:g} second." if HELD_S == 1 else f"for {HELD_S:g} seconds."),
        text(335, 190, "or", 22, _DIM),
        *_button(485, 200),
        text(485, 322, "Press the button,"),
        text(485, 346, "if you have one."),
    ]
    return sheet(620, 370, parts)


def _button(x: float, y: float) -> list[str]:
    """A finger on it."""
    return [
        rect(x - 60, y + 20, 120, 34, _FIGURE, 'rx="8"'),
        rect(x - 34, y + 4, 68, 20, _LIMB, 'rx="6"'),
        line([(x, y - 74), (x, y - 4)], INK, 7),
        line([(x - 18, y - 22), (x, y - 2), (x + 18, y - 22)], INK, 7),
    ]


def _answers(means: Mapping[Answer, str]) -> str:
    """Each answer once: its words, the hands, and below them how often the button is pressed."""
    order = {"left": 0, "both": 1, "right": 2}
    hands = sorted((one for one in means if isinstance(one, str)), key=lambda one: order[one])
    wide = 210.0
    parts = []
    for number, hand in enumerate(hands):
        middle = wide * (number + 0.5)
        presses = next(one for one in means if isinstance(one, int) and means[one] == means[hand])
        parts.append(text(middle, 38, _WORDS[means[hand]], 26))
        parts += _person(standing(hand), middle, 300, scale=0.95)
        parts.append(text(middle, 328, f"your {hand} hand" if hand != "both" else "both hands"))
        first = middle - 15.0 * (presses - 1)
        parts += [dot(first + 30.0 * press, 356, 10, _LIMB) for press in range(presses)]
        times = {1: "once", 2: "twice", 3: "three times"}[presses]
        parts.append(text(middle, 392, f"or press {times}"))
        if number:
            parts.append(line([(wide * number, 20), (wide * number, 390)], "#dee2e6", 2))
    return sheet(wide * len(hands), 410, parts)
