"""What motion files call the joints that the standard skeleton is made of. Ours: the format fixes no names."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from appliance.skeleton.standard import INDEX, JOINTS

_TRUNK = {
    "hips": ("hips", "hip", "pelvis", "root"),
    "neck": ("neck", "neck1", "lowerneck"),
    "head": ("head",),
}
_LIMB = {
    "shoulder": ("arm", "upperarm", "uparm", "shldr", "shoulder"),
    "elbow": ("forearm", "lowerarm", "lowarm", "elbow"),
    "wrist": ("hand", "wrist"),
    "hip": ("upleg", "upperleg", "thigh", "hip"),
    "knee": ("leg", "lowerleg", "lowleg", "shin", "calf", "knee"),
    "ankle": ("foot", "ankle"),
}
"""The first name that is there wins: where there is an upper arm, `LeftShoulder` is the collar bone."""


def standard_weights(names: Sequence[str]) -> NDArray[np.float64]:
    """(17, joints): the standard joints as combinations of the file's joints.

    As for sources that know no spine, thorax and spine are taken from hips and shoulders, since a motion file may have
    one to four spine joints anywhere between; neck and head are its own. Raises `ValueError` naming what is missing.
    """
    known = {_plain(name): index for index, name in reversed(list(enumerate(names)))}
    rows = {name: _find(known, name, spellings) for name, spellings in _TRUNK.items() if name != "neck"}
    for side in ("left", "right"):
        for joint, spellings in _LIMB.items():
            sided = tuple(letters + spelling for spelling in spellings for letters in (side, side[0]))
            rows[f"{side}_{joint}"] = _find(known, f"{side} {joint}", sided)
    pick = np.eye(len(names))
    weights = np.array([pick[rows[name]] if name in rows else np.zeros(len(names)) for name in JOINTS])
    weights[INDEX["pelvis"]] = pick[rows["hips"]]
    thorax = (weights[INDEX["left_shoulder"]] + weights[INDEX["right_shoulder"]]) / 2
    weights[INDEX["thorax"]] = thorax
    weights[INDEX["spine"]] = (weights[INDEX["pelvis"]] + thorax) / 2
    neck = next((known[name] for name in _TRUNK["neck"] if name in known), None)
    weights[INDEX["neck"]] = (thorax + weights[INDEX["head"]]) / 2 if neck is None else pick[neck]
    return weights


def _plain(name: str) -> str:
    """`mixamorig:LeftUpLeg`, `Left_Up_Leg` and `leftUpLeg` are one name."""
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())


def _find(known: dict[str, int], joint: str, spellings: Sequence[str]) -> int:
    for spelling in spellings:
        if spelling in known:
            return known[spelling]
    raise ValueError(f"no joint in it is called like the {joint} ({', '.join(spellings[:4])}, ...)")
