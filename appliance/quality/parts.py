"""What FineRehab's assessment speaks of: three dimensions, parts of the body, five levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Dimension = Literal["completeness", "correction", "smoothness"]
"""FineRehab's: the range of the primary active joints; compensation by any joint; lag, jitter and acceleration on the
way out and back."""
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

BodyPart = Literal["trunk", "left_arm", "right_arm", "left_leg", "right_leg"]
"""That grades are given by part of the body is FineRehab's; which parts, and that the head is the trunk's, is ours: no
limb can move without its joints, and nobody exercises the head alone in the sixteen movements."""
BODY_PARTS: tuple[BodyPart, ...] = get_args(BodyPart)

Level = Literal["poor", "below average", "average", "above average", "good"]
"""FineRehab's five, from the worst."""
LEVELS: tuple[Level, ...] = get_args(Level)

BEST = 4.0
"""Grades, and so scores, go from 0 to this (FineRehab)."""

PART_JOINTS: Mapping[BodyPart, tuple[str, ...]] = {
    "trunk": ("pelvis", "spine", "thorax", "neck", "head"),
    "left_arm": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_arm": ("right_shoulder", "right_elbow", "right_wrist"),
    "left_leg": ("left_hip", "left_knee", "left_ankle"),
    "right_leg": ("right_hip", "right_knee", "right_ankle"),
}
"""Every joint of the standard skeleton belongs to one part."""
