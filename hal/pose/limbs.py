"""The 33 landmarks of BlazePose as parts of a body with girth.

Radii are what lies between the skin that a camera sees and the joint's centre, from half the breadths and depths of an
adult in Winter, "Biomechanics and Motor Control of Human Movement", and ISO 7250-1 tables, rounded to half a centimetre
(ours: one set for everybody; people differ by about 2 cm at the hips and 1 cm elsewhere).
"""

from __future__ import annotations

import numpy as np

LANDMARKS = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
    "left_heel", "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip
INDEX = {name: index for index, name in enumerate(LANDMARKS)}

_RADII = {
    "nose": 0.01, "eye": 0.01, "eye_inner": 0.01, "eye_outer": 0.01, "ear": 0.02, "mouth": 0.01,
    "shoulder": 0.055, "elbow": 0.045, "wrist": 0.03, "pinky": 0.015, "index": 0.015, "thumb": 0.015,
    "hip": 0.10, "knee": 0.06, "ankle": 0.045, "heel": 0.035, "foot_index": 0.03,
}  # fmt: skip


def _part(name: str) -> str:
    return name.removeprefix("left_").removeprefix("right_").removesuffix("_left").removesuffix("_right")


RADII_M = np.array([_RADII[_part(name)] for name in LANDMARKS], np.float32)
"""(33,) metres from the skin to the landmark, along the line of sight."""

_LIMBS = (("shoulder", "elbow", 0.05), ("elbow", "wrist", 0.04), ("hip", "knee", 0.075), ("knee", "ankle", 0.055))
LIMBS = np.array(
    [(INDEX[f"{side}_{a}"], INDEX[f"{side}_{b}"]) for side in ("left", "right") for a, b, _ in _LIMBS], np.int32
)
"""(8, 2): the bones whose limb is one rounded shape that can be centred on, by landmark."""
LIMB_RADII_M = np.array([radius for _ in ("left", "right") for *_, radius in _LIMBS], np.float32)

_LENGTHS = (
    ("left_shoulder", "right_shoulder", 0.37), ("left_hip", "right_hip", 0.18),
    ("left_shoulder", "left_hip", 0.50), ("right_shoulder", "right_hip", 0.50),
    *((f"{side}_{a}", f"{side}_{b}", length) for side in ("left", "right")
      for a, b, length in (("shoulder", "elbow", 0.31), ("elbow", "wrist", 0.25), ("hip", "knee", 0.42),
                           ("knee", "ankle", 0.42))),
)  # fmt: skip
BONES = tuple((INDEX[a], INDEX[b], length) for a, b, length in _LENGTHS)
"""Landmark, landmark, and the metres between them in an adult of 1.70 m (Drillis & Contini, as `hal.virtual.body`)."""

SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])
ELBOWS = (INDEX["left_elbow"], INDEX["right_elbow"])
WRISTS = (INDEX["left_wrist"], INDEX["right_wrist"])
KNUCKLES = (INDEX["left_index"], INDEX["right_index"])
HIPS = (INDEX["left_hip"], INDEX["right_hip"])
KNEES = (INDEX["left_knee"], INDEX["right_knee"])
ANKLES = (INDEX["left_ankle"], INDEX["right_ankle"])
TRUNK = (*SHOULDERS, *HIPS)
